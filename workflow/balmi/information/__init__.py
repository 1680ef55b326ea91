"""Mutual information: label, pairwise and representation information, with nulls."""
