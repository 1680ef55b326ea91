"""The kinds of omics: what the manual says of each, and the values that its tables may hold.

How each is transformed is in `balmi.preprocess.kinds`.
"""

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
    ADT = "adt"
    ATAC = "atac"
    GENERIC = "generic"


@dataclass(frozen=True)
class Range:
    """The values that a kind may hold; an empty cell is allowed always.

    Parameters
    ----------
    description
        The range in words, and what to do with values outside it.
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


@dataclass(frozen=True)
class Traits:
    """A kind, as the manual tells of it and as its tables are checked.

    Parameters
    ----------
    values
        The values that it holds, in a few words.
    transform
        Its first transform, in words.
    range
        What a table of it may hold.
    """

    values: str = "numbers"
    transform: str = "none"
    range: Range = ANY


KINDS: dict[Kind, Traits] = {
    Kind.RNA_COUNTS: Traits(
        "whole numbers of 0 or more",
        "scaled to 10,000 counts per sample, log(1 + x)",
        Range(
            "whole numbers of 0 or more (log values are of kind rna-log); round expected counts,"
            " as of RSEM or salmon",
            low=0,
            whole=True,
        ),
    ),
    Kind.RNA_LOG: Traits(),
    Kind.METHYLATION_BETA: Traits(
        "numbers from 0 to 1",
        "M-values, log2(beta / (1 - beta))",
        Range(
            "numbers from 0 to 1 (M-values are of kind methylation-m); divide percentages by 100",
            low=0,
            high=1,
        ),
    ),
    Kind.METHYLATION_M: Traits(),
    Kind.MIRNA: Traits("numbers, normalised and logged"),
    Kind.CNV: Traits(),
    Kind.PROTEIN: Traits(),
    Kind.ADT: Traits(
        "whole numbers of 0 or more",
        "log(1 + x) less its mean over the antibodies of the cell (CLR)",
        Range(
            "whole numbers of 0 or more: counts of antibodies, as they were read (values that are"
            " normalised already are of kind protein)",
            low=0,
            whole=True,
        ),
    ),
    Kind.ATAC: Traits(
        "numbers of 0 or more, of peaks",
        "TF-IDF and its first 50 components (LSI), learned in every fold from its training cells;"
        " the first one is left out where it correlates with a cell's log counts above 0.75",
        Range("numbers of 0 or more: counts of fragments in peaks, or 0 and 1", low=0),
    ),
    Kind.GENERIC: Traits(),
}
# Of the kinds that not any number is allowed in.
RANGES = {kind: traits.range for kind, traits in KINDS.items() if traits.range is not ANY}
# What tables are also called -> their kind, told where a configuration names none.
ALSO_CALLED = {
    **dict.fromkeys(("mutation", "snv", "genotype", "metabolomics", "lipidomics"), Kind.GENERIC),
    **dict.fromkeys(("metabolite", "microbiome", "clinical", "cytometry", "image"), Kind.GENERIC),
    **dict.fromkeys(("rna-seq", "counts", "scrna"), Kind.RNA_COUNTS),
    **dict.fromkeys(("expression", "microarray", "mrna", "tpm", "fpkm"), Kind.RNA_LOG),
    **dict.fromkeys(("methylation", "beta"), Kind.METHYLATION_BETA),
    **dict.fromkeys(("proteomics", "rppa", "olink"), Kind.PROTEIN),
    **dict.fromkeys(("copy-number", "cna"), Kind.CNV),
}
