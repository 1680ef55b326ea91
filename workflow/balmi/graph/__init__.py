"""Similarity networks of samples and their fusion."""
