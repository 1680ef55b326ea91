"""The overview: all datasets of a run on one page."""
