"""The kinds of omics, and the values that a table of each kind may hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of omics that balmi knows how to preprocess."""

    RNA_COUNTS = "rna-counts"
    RNA_LOG = "rna-log"
    METHYLATION_BETA = "methylation-beta"
    METHYLATION_M = "methylation-m"
    MIRNA = "mirna"
    CNV = "cnv"
    PROTEIN = "protein"
    GENERIC = "generic"


@dataclass(frozen=True)
class Range:
    """The values that a kind may hold; an empty cell is allowed always.

    Parameters
    ----------
    description
        The range in words.
    low, high
        Limits, both included.
    whole
        Whether values must be whole numbers.
    """

    description: str = "finite numbers"
    low: float = -math.inf
    high: float = math.inf
    whole: bool = False


ANY = Range()
RANGES: dict[Kind, Range] = {
    Kind.RNA_COUNTS: Range(
        "whole numbers of 0 or more (log values are of kind rna-log); round expected counts, as of"
        " RSEM or salmon",
        low=0,
        whole=True,
    ),
    Kind.METHYLATION_BETA: Range(
        "numbers from 0 to 1 (M-values are of kind methylation-m); divide percentages by 100",
        low=0,
        high=1,
    ),
}
