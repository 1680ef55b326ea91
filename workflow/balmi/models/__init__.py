"""Networks that hold all replicas of an evaluation at once."""
