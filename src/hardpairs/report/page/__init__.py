"""The explorer: one HTML file in which every number leads to its images."""

from hardpairs.report.page.render import render_report

__all__ = ["render_report"]
