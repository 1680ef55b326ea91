"""The view of training: what each modality's head did from epoch to epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.settings import JOINT, Expert
from balmi.evaluation.primary import NETWORK

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

STAGE = "joint"
MAX_EPOCHS = 120
BAND = (0.1, 0.5, 0.9)
QUANTITIES = {
    "weight": "Weight of the loss",
    "gradient_share": "Share of the encoders' gradient",
    "macro_f1": "Macro-F1 on validation samples",
    "loss": "Training loss (nats)",
    "validation_loss": "Validation loss (nats)",
}


@dataclass(frozen=True)
class Curve:
    """A quantity of one modality over epochs: median and 10-90 % band over replicas."""

    modality: str
    epochs: tuple[int, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Panel:
    """The curves of one quantity."""

    quantity: str
    title: str
    curves: tuple[Curve, ...]


EXPERTS = {
    Expert.LINEAR: "stacked logistic regression",
    Expert.LEARNED: "logistic regression on the modalities' networks",
    Expert.MEAN: "mean of the modalities' logits",
    Expert.INFORMATION: "logits weighted by information",
    Expert.CONCATENATION: "joint hidden layer, which can see interactions",
    Expert.GATE: "logits weighted by a gate",
}


@dataclass(frozen=True)
class ExpertShare:
    """What one expert contributes to the pooled prediction: its weight over folds."""

    name: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class TrainingView:
    """What the report tells about training.

    Parameters
    ----------
    method
        The method whose training is shown.
    replicas
        Number of networks, one per repeat, fold and member.
    epochs
        Epochs shown: those that at least half of the replicas reached.
    longest
        Epochs of the replica that trained longest.
    panels
        One per quantity that the table has.
    experts
        What the prediction is pooled from, the largest weight first.
    """

    method: str
    replicas: int
    epochs: int
    longest: int
    panels: tuple[Panel, ...]
    experts: tuple[ExpertShare, ...]


def _curve(modality: str, table: pd.DataFrame, quantity: str) -> Curve | None:
    values = table.dropna(subset=[quantity])
    if values.empty:
        return None
    band = values.groupby("epoch")[quantity].quantile(BAND).unstack()
    # The eye sees no more points than pixels, and each costs bytes in the page.
    kept = np.unique(np.linspace(0, len(band) - 1, MAX_EPOCHS).round().astype(int))
    band = band.iloc[kept]
    low, middle, high = (tuple(map(float, band[share])) for share in BAND)
    return Curve(modality, tuple(map(int, band.index)), low, middle, high)


def _panel(table: pd.DataFrame, quantity: str, names: Sequence[str]) -> Panel:
    curves = (_curve(name, table[table["modality"] == name], quantity) for name in names)
    return Panel(quantity, QUANTITIES[quantity], tuple(curve for curve in curves if curve))


def expert_shares(experts: pd.DataFrame) -> tuple[ExpertShare, ...]:
    """Return the mean weight of every expert of the own method, and its 10-90 % band over folds."""
    weights = experts[experts["method"] == NETWORK].groupby("expert", sort=False)["weight"]
    shares = [
        ExpertShare(
            EXPERTS[Expert(name)],
            float(values.mean()),
            *map(float, values.quantile([BAND[0], BAND[-1]])),
        )
        for name, values in weights
    ]
    return tuple(sorted(shares, key=lambda share: -share.mean))


def training_view(
    training: pd.DataFrame, experts: pd.DataFrame, modalities: Sequence[str]
) -> TrainingView | None:
    """Make the view of training, or None where no network of the own method was trained.

    Parameters
    ----------
    training, experts
        The tables of the contract.
    modalities
        Names in the cohort's order; the joint head comes after them.
    """
    table = training[(training["method"] == NETWORK) & (training["stage"] == STAGE)]
    if table.empty:
        return None
    reached = table.groupby(["repeat", "fold", "member"])["epoch"].max()
    # Where most replicas have stopped, a band over the rest would show another population.
    last = int(np.floor(reached.quantile(0.5)))
    shown = table[table["epoch"] <= last]
    panels = (_panel(shown, quantity, [*modalities, JOINT]) for quantity in QUANTITIES)
    return TrainingView(
        method=NETWORK,
        replicas=len(reached),
        epochs=last + 1,
        longest=int(reached.max()) + 1,
        panels=tuple(panel for panel in panels if panel.curves),
        experts=expert_shares(experts),
    )
