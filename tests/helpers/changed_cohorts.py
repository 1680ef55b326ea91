"""Cohorts with other measurements than the one they are made of."""

from dataclasses import replace

import numpy as np


def with_cells(cohort, name, where, value):
    """Return a cohort whose table of one modality holds a value at an index."""
    table = cohort.tables[name]
    table[where] = value
    return replace(cohort, values={**cohort.values, name: table})


def lacking(cohort, name, rows):
    """Return a cohort of whose samples some lack a modality."""
    return with_cells(cohort, name, rows, np.nan)
