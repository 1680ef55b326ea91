"""Metrics, paired statistics and verdicts."""
