"""What rows of a prediction's table are: learned from, of known class, of modalities not tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from balmi.methods.outcome import PROBABILITY_PREFIX
from balmi.prediction.external import Labelled
from balmi.prediction.fingerprints import TRAINED
from balmi.prediction.untried import untried

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from balmi.prediction.untried import Untried


def is_trained(table: pd.DataFrame) -> pd.Series:
    """Return which samples the model has learned from."""
    return table["flags"].fillna("").str.contains(TRAINED, regex=False)


def is_judged(table: pd.DataFrame) -> pd.Series:
    """Return whose call can be right or wrong: of samples of known class, not learned from."""
    return table["label"].notna() & ~is_trained(table)


def patterns_untried(about: Mapping[str, Any], table: pd.DataFrame) -> list[Untried]:
    """Return which samples have modalities together that no tested sample had."""
    names = [each["name"] for each in about["modalities"]]
    return untried(names, table["modalities"].fillna(""), about["evaluation"])


def labelled(table: pd.DataFrame, classes: Sequence[str]) -> Labelled | None:
    """Return samples of known class that the model has not learned from, None without any."""
    known = table[is_judged(table)]
    if known.empty:
        return None
    codes = {name: code for code, name in enumerate(classes)}
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in classes]
    groups = None
    if known["group"].notna().any():
        groups = known["group"].astype(object).where(known["group"].notna(), None).to_numpy()
    return Labelled(
        labels=known["label"].map(codes).to_numpy(),
        predicted=known["class"].map(codes).to_numpy(),
        probabilities=known[columns].to_numpy(dtype=float),
        groups=groups,
    )
