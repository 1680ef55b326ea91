"""The HTML report: view models, charts and templates."""
