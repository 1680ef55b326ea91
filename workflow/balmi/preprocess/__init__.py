"""Preprocessing of each kind of omics, fitted on training samples only."""
