"""The explorer: one HTML file in which every number leads to its images."""
