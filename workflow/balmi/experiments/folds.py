"""Which folds of the evaluation shares, permuted labels and observed gains are run in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.config.settings import Robustness
    from balmi.data.splits import Split

# Of a cohort so large that scores of folds hardly differ. With two, an interval over folds would
# take a t value of 12.7 instead of 4.3.
FOLDS_OF_MANY = 3


def folds_to_run(splits: Sequence[Split], samples: int, run: Robustness) -> list[Split]:
    """Return the folds of the first ``robustness.repeats`` repeats.

    Parameters
    ----------
    splits
        The folds of the evaluation.
    samples
        Number of samples of the cohort. Where they are more than
        ``advanced.robustness.in_full_up_to``, the first `FOLDS_OF_MANY` folds of a repeat are run.
    run
        The settings.
    """
    most = None if samples <= run.in_full_up_to else FOLDS_OF_MANY
    return [
        split
        for repeat in range(run.repeats)
        for split in [split for split in splits if split.repeat == repeat][:most]
    ]
