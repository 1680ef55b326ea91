"""The verdict: headline, answers and the trust checklist."""
