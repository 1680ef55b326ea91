"""The cohort."""
