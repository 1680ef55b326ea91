"""The sections of the report: a view, figures and a template each."""
