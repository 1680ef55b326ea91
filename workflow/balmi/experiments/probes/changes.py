"""What every probe makes of the scores of a method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.data.together import together
from balmi.experiments.probes.alterations import ProbeKind
from balmi.experiments.scores import PROBE, Change, of_method

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from balmi.experiments.scores import Scores


def probe_changes(
    modalities: Sequence[str], method: str, whole: pd.DataFrame, scores: Scores
) -> Iterator[Change]:
    """Yield the changes of test samples, of one method."""
    probed = of_method(scores.probed, method)
    if probed.empty:
        return
    ratio, tested, before = scores.ratio, scores.tested, of_method(scores.unworsened, method)
    kinds, names, levels = (probed.index.get_level_values(key) for key in PROBE[1:])

    def of(kind: ProbeKind, name: str, level: float = 0.0) -> pd.DataFrame:
        return probed[(kinds == kind) & (names == name) & (levels == level)].droplevel(PROBE[1:])

    def in_tested(name: str, table: pd.DataFrame) -> pd.DataFrame:
        """Leave out folds whose test samples all lack a modality: they have nothing to lose."""
        return table[table.index.isin(tested.index[tested[name]])]

    for name in modalities:
        asked = (kinds == ProbeKind.NOISE) & (names == name)
        noisy = {level: of(ProbeKind.NOISE, name, level) for level in np.unique(levels[asked])}
        start = in_tested(name, before)
        for part in noisy.values():
            start = start[start.index.isin(part.index)]
        for level, part in {0.0: start, **noisy}.items():
            yield Change("noise", name, level, part, before, ratio)
    for name in modalities:
        others = together(other for other in modalities if other != name)
        without = in_tested(name, of(ProbeKind.SUBSET, others))
        yield Change("dropped", name, np.nan, without, whole, ratio)
    for name in modalities:
        yield Change("shuffled", name, np.nan, of(ProbeKind.SHUFFLED, name), before, ratio)
