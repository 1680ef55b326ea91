"""The study: what the default method, its parts and its peers do on several cohorts."""
