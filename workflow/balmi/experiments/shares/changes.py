"""What every share of the training samples makes of the scores of a method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from balmi.experiments.scores import Change, of_method

if TYPE_CHECKING:
    from collections.abc import Iterator

    from balmi.experiments.scores import Scores


def share_changes(scores: Scores, method: str, whole: pd.DataFrame) -> Iterator[Change]:
    """Yield the shares of the training samples, of one method, the whole in the same folds last."""
    parts = {share: of_method(part, method) for share, part in sorted(scores.shares.items())}
    seen = {share: part for share, part in parts.items() if len(part)}
    for share, part in seen.items():
        yield Change("share", None, share, part, whole, scores.share_ratios[share])
    if seen:
        folds = pd.concat(list(seen.values())).index
        yield Change("share", None, 1.0, whole[whole.index.isin(folds)], whole, scores.ratio)
