"""Acquisition, reading, checking, assembly and splitting of cohorts."""
