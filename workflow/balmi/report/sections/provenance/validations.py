"""Predictions of new samples by a dataset's final model: what their own pages conclude."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.data.formats import KEY
from balmi.data.model_files import FORMAT, packed_checksum

if TYPE_CHECKING:
    from pathlib import Path


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


def predicted_by(model: Path | None, results: Path) -> tuple[NewSamples, ...]:
    """Return the predictions that lie below a folder of results now and were made by a model.

    Parameters
    ----------
    model
        The model as a zip file; None where there is none.
    results
        The folder. The pages of predictions tell in ``view.json`` which model they are of; those
        of another format are passed over.

    Returns
    -------
    tuple of NewSamples
        Validations first, then by name.
    """
    if model is None:
        return ()
    checksum, found = packed_checksum(model), []
    for folder in results.iterdir():
        told = folder / "view.json"
        if not (folder / "prediction.json").is_file() or not told.is_file():
            continue
        page = json.loads(told.read_text(encoding="utf-8"))
        if page.get(KEY) == FORMAT and page["model"] == checksum:
            found.append(NewSamples(folder.name, page["validation"], **page["conclusions"][0]))
    return tuple(sorted(found, key=lambda each: (not each.validation, each.name)))
