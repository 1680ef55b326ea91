"""What the networks go by."""
