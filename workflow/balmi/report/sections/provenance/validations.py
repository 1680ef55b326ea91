"""Predictions of new samples by a dataset's final model: what their own pages conclude."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.data.formats import KEY
from balmi.data.model_files import EVALUATION, FORMAT, packed_checksum

if TYPE_CHECKING:
    from pathlib import Path

OTHER_SCORES = "by this model, beside the scores of an earlier cross-validation"
UNKNOWN_SCORES = "by this model and an earlier version, which did not note beside which scores"
OTHER_MODEL = "by an earlier model of this dataset, or by another one of its name"


@dataclass(frozen=True)
class NewSamples:
    """A prediction of new samples.

    Parameters
    ----------
    name
        Its name, and that of its folder.
    validation
        Whether classes are known, so that it is an external validation.
    sentence, value, state
        What its page concludes, the number with its interval, and the verdict; None where there is
        none.
    """

    name: str
    validation: bool
    sentence: str
    value: str | None
    state: str | None


@dataclass(frozen=True)
class Outdated:
    """A prediction that says nothing of the model that is there now.

    Parameters
    ----------
    name
        Its name.
    why
        What it is of instead.
    """

    name: str
    why: str


@dataclass(frozen=True)
class Found:
    """The predictions of a dataset's model that lie in a folder of results.

    Parameters
    ----------
    current
        Those by the model that is there, with its cross-validation; validations first, then by
        name.
    outdated
        Others, by name.
    """

    current: tuple[NewSamples, ...] = ()
    outdated: tuple[Outdated, ...] = ()


def predicted_by(model: Path | None, dataset: str, results: Path) -> Found:
    """Return the predictions that lie below a folder of results now and were made by a model.

    Parameters
    ----------
    model
        The model as a zip file; None where there is none.
    dataset
        The name of its dataset.
    results
        The folder. The pages of predictions tell in ``view.json`` which model they are of, and with
        which scores of its cross-validation they were compared; those of another format are passed
        over.
    """
    if model is None:
        return Found()
    sums = {"model": packed_checksum(model), "evaluation": packed_checksum(model, EVALUATION)}
    current, outdated = [], []
    for folder in sorted(results.iterdir()):
        told = folder / "view.json"
        if not (folder / "prediction.json").is_file() or not told.is_file():
            continue
        page = json.loads(told.read_text(encoding="utf-8"))
        if page.get(KEY) != FORMAT or page["model"] is None:
            continue
        if all(page.get(name) == checksum for name, checksum in sums.items()):
            found = NewSamples(folder.name, page["validation"], **page["conclusions"][0])
            current.append(found)
        elif page["model"] == sums["model"]:
            why = UNKNOWN_SCORES if page.get("evaluation") is None else OTHER_SCORES
            outdated.append(Outdated(folder.name, why))
        elif page["dataset"] == dataset:
            outdated.append(Outdated(folder.name, OTHER_MODEL))
    ordered = sorted(current, key=lambda each: (not each.validation, each.name))
    return Found(tuple(ordered), tuple(outdated))
