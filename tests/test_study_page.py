import re

from conftest import make_predictions
from hardpairs.analysis.subject import Subject
from hardpairs.report.page.render import render_report
from hardpairs.report.page.study import TITLES, draw_curve, study_charts, study_title
from report_pages import parts_of


def test_a_quick_studys_banner_stands_first():
    study = {"kind": "compare", "quick": True, "seeds": [0], "sections": []}
    seen, _ = parts_of(render_report(Subject(make_predictions()), study=study))
    main = seen[seen.index("<main") :]
    assert main.index("its numbers mean nothing") < main.index("<h1")


def test_a_study_says_which_gains_are_significant():
    gains = (("more", 0.02, 0.001, True), ("like", 0.001, 0.4, False), ("less", -0.02, 0.01, True))
    scores = [
        {"name": name, "mean": 0.9, "interval": [0.89, 0.91], "seconds": 1.5}
        for name in ("plain", *(gain[0] for gain in gains))
    ]
    effects = [
        {
            "name": name,
            "reference": "plain",
            "gain": gain,
            "interval": [gain - 0.01, gain + 0.01],
            "p_value": p_value,
            "significant": significant,
        }
        for name, gain, p_value, significant in gains
    ]
    section = {"name": "toy", "scores": scores, "effects": effects}
    study = {"kind": "ablate", "quick": False, "seeds": [0, 1, 2, 3], "sections": [section]}
    seen, _ = parts_of(render_report(Subject(make_predictions()), study=study))
    assert "4 seeds for each recipe" in seen
    assert "Gains over <bdi>plain</bdi>" in seen
    assert re.findall(r'class="dot (\w+)" cx="[\d.]+" cy="[\d.]+" r="4.5"', seen) == [
        "s0",
        "unsure",
        "s1",
    ]
    for place, (_, _, p_value, significant) in enumerate(gains):
        key = f'data-key="study.json: sections[0].effects[{place}].p_value"'
        said = "yes" if significant else "no"
        assert re.search(f'{re.escape(key)}[^>]*>{p_value:g}</td><td class="[^"]*">{said}<', seen)
    quick, _ = parts_of(render_report(Subject(make_predictions()), study=study | {"quick": True}))
    assert "significant" not in quick[: quick.index("One of its runs")]
    assert 'class="dot s0" cx' not in quick[: quick.index("One of its runs")]


def test_a_studys_title_is_what_it_found():
    def title(kind, *effects, quick=False, leader=None):
        sections = [
            {
                "name": f"set {place}",
                "effects": [
                    {"name": "b", "reference": "a", "gain": gain, "significant": significant}
                ],
            }
            for place, (gain, significant) in enumerate(effects)
        ]
        study = {"kind": kind, "quick": quick, "sections": sections, "leader": leader}
        return study_title(study)

    gains = (0.0136, True), (-0.001, False)
    said = "b against a: +1.36 points on set 0, -0.10 points on set 1 (not significant)"
    assert title("compare", *gains) == said
    assert title("compare", *gains, quick=True) == title("compare") == TITLES["compare"]
    leader = {"name": "longer", "gain": 0.0166, "rivals": (), "seeds_needed": None}
    assert title("ablate", *gains, leader=leader) == "longer helps most: +1.66 points alone"
    assert "significantly" in title("ablate", leader=leader | {"rivals": ("flips",)})
    assert "No factor" in title("ablate", leader=leader | {"name": "base"})
    assert title("ablate", *gains) == TITLES["ablate"]
    assert title("curve", *gains) == TITLES["curve"]


def test_curves_of_two_datasets_are_two_lines():
    def section(source, count, mean):
        score = {"name": "fast", "mean": mean, "interval": [mean, mean], "seconds": 1.0}
        return {
            "name": source,
            "source": source,
            "data": source,
            "train_images": count,
            "scores": [score],
        }

    places = (("digits", 100, 0.9), ("digits", 200, 0.95), ("fashion", 100, 0.7))
    lines = study_charts(
        {"kind": "curve", "quick": False, "sections": [section(*place) for place in places]}
    )
    assert [(line.name, line.x) for line in lines["lines"]] == [
        ("fast on digits", [100, 200]),
        ("fast on fashion", [100]),
    ]


def test_all_charts_of_a_study_are_of_one_width_and_so_their_texts_of_one_size():
    effect = {"name": "without label-smoothing", "gain": 0.0, "interval": [-1, 1]}
    score = {"name": "fast", "mean": 0.9, "interval": [0.8, 1.0]}
    section = {"name": "toy", "train_images": 9, "scores": [score], "effects": [effect]}
    effect |= {"reference": "plain", "significant": False}
    drawn = study_charts({"kind": "curve", "quick": True, "sections": [section]})
    charts = [str(drawn["effects"]), str(draw_curve(drawn["lines"]))]
    assert len({re.search(r'viewBox="0 0 (\d+)', chart)[1] for chart in charts}) == 1
    assert ">without label-smoothing<" in charts[0]
