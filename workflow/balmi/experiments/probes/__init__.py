"""Test samples that are altered, without training again."""
