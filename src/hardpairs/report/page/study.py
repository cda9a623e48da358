"""A study on the page: its effects on one axis, its learning curves, two runs side by side."""

from typing import Any

from markupsafe import Markup

from hardpairs.report.page.charts import Line, draw_effects, draw_lines

TITLES = {
    "compare": "How much one model gains over the other",
    "ablate": "What each factor adds",
    "curve": "Accuracy against the number of training images",
}


def study_title(study: dict[str, Any]) -> str:
    """What a study asks."""
    return TITLES.get(study.get("kind", ""), "Study")


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
