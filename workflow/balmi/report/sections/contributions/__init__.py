"""What modalities and features contribute."""
