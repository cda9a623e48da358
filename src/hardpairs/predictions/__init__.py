"""The hand-over between a classifier and everything that is said of it."""
