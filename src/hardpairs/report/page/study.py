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
    if study["kind"] == "ablate" and not study["quick"] and study.get("leader"):
        found, _ = led_by(study["leader"])
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


def led_by(leader: dict[str, Any]) -> tuple[str, str]:
    """The factor that helps most alone, of study.json, in a title; and how a sentence goes on."""
    from hardpairs.analysis.changes import points  # noqa: PLC0415  # Slow: SciPy.

    name, rivals, seeds = leader["name"], leader["rivals"], leader["seeds_needed"]
    if name == "base":
        return "No factor alone is better than the base", ", on the validation images"
    gain = f"{points(leader['gain'])} points alone"
    if not rivals:
        return f"{name} helps most: {gain}", ", significantly more than any other"
    told = ", ".join(rivals[:3]) + (" and more" if len(rivals) > 3 else "")
    needed = "more than 1,000 seeds" if seeds is None else f"{seeds} seeds"
    return (
        f"{name} leads: {gain}, but others aren't significantly worse",
        f" ({told}); to tell the nearest from it would take {needed}",
    )


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
