"""The pooled predictor: experts of different kinds, weighed by what they say out of fold."""
