"""A study on the page: its effects on one axis, its learning curves, two runs side by side."""

from typing import Any

from markupsafe import Markup

from hardpairs.report.page.charts import Line, draw_effects, draw_lines

TITLES = {
    "compare": "One recipe against another",
    "ablate": "What each factor adds",
    "curve": "Accuracy against the number of training images",
}


def study_title(study: dict[str, Any]) -> str:
    """What a study, as in study.json, found; what it is about where that is no line."""
    found = ""
    if study["kind"] == "compare" and not study["quick"]:
        found = _gains(study["sections"])
    if study["kind"] == "ablate" and not study["quick"]:
        found = _led_by(study.get("leader"))
    return found or TITLES[study["kind"]]


def _gains(sections: list[dict[str, Any]]) -> str:
    """What one recipe gains over the other on each dataset; "" where there is none."""
    from hardpairs.analysis.changes import points  # noqa: PLC0415  # Slow: SciPy.

    pairs = [(section, effect) for section in sections for effect in section["effects"]]
    gains = [
        f"{points(effect['gain'])} points on {section['name']}"
        + ("" if effect["significant"] else " (not significant)")
        for section, effect in pairs
    ]
    if not pairs:
        return ""
    _, effect = pairs[0]
    return f"{effect['name']} against {effect['reference']}: {', '.join(gains)}"


def _led_by(leader: dict[str, Any] | None) -> str:
    """The factor that helps most alone; "" where none was chosen."""
    from hardpairs.analysis.changes import points  # noqa: PLC0415  # Slow: SciPy.

    if leader is None:
        return ""
    if leader["name"] == "base":
        return "No factor alone is better than the base"
    if leader["rivals"]:
        return f"{leader['name']} leads, but isn't significantly better than all other factors"
    return f"{leader['name']} helps most: {points(leader['gain'])} points alone"


def study_charts(study: dict[str, Any]) -> dict[str, Any]:
    """The effects of all sections on one axis, and the learning curves of a curve study."""
    sections = study.get("sections", [])
    several = len({section.get("source") for section in sections}) > 1
    blocks = [
        (section["name"], section["effects"]) for section in sections if section.get("effects")
    ]
    references = {effect["reference"] for _, effects in blocks for effect in effects}
    label = "gains over the first recipe of each table"
    return {
        "effects": draw_effects(blocks, label, judged=not study["quick"]) if blocks else None,
        "references": sorted(references),
        "lines": _curves(sections, several) if study.get("kind") == "curve" else [],
    }


def _curves(sections: list[dict[str, Any]], several: bool) -> list[Line]:
    points: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for section in sections:
        data = section.get("data", section.get("source", ""))
        for score in section.get("scores", []):
            name = f"{score['name']} on {data}" if several else score["name"]
            points.setdefault(name, []).append((section["train_images"], score))
    return [
        Line(
            name,
            x=[count for count, _ in line],
            y=[score["mean"] for _, score in line],
            low=[score["interval"][0] for _, score in line],
            high=[score["interval"][1] for _, score in line],
        )
        for name, line in points.items()
    ]


def draw_curve(lines: list[Line]) -> Markup | None:
    """Draw learning curves; None where there are none."""
    if not lines:
        return None
    return draw_lines(
        lines, label="accuracy by training images", x_label="training images", percent=True
    )
