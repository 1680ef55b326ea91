"""Feature attribution of the networks."""
