"""Negative controls: the methods where there is nothing to learn."""
