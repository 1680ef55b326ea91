"""Which features the networks go by."""
