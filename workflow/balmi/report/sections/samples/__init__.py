"""Sample by sample."""
