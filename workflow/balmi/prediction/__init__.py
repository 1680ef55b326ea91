"""The final model: trained on all labelled samples, written down, and asked about new ones."""
