"""Simple methods that every cohort is also given to, fold by fold."""
