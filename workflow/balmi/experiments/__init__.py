"""Experiments: what alters the data, what runs it and what tabulates it, a folder each."""
