"""Provenance and downloads."""
