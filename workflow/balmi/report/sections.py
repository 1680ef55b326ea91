"""The sections of the report below the verdict, in their order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A section's number and heading."""

    number: int
    title: str


# Each has a template of the same name.
TITLES = {
    "cohort": "Cohort",
    "performance": "Performance",
    "information": "Mutual information",
    "training": "Training dynamics",
    "robustness": "Robustness",
    "contributions": "Contributions and embedding",
    "provenance": "Provenance and downloads",
}
SECTIONS = {name: Section(place, title) for place, (name, title) in enumerate(TITLES.items(), 1)}
