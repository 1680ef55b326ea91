"""Write the page of a prediction: one self-contained file."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from balmi.data.files import csv_text, read_json, read_table, write_json
from balmi.data.model_files import FORMAT
from balmi.prediction.refusal import Refusal
from balmi.report.kit.drawing import class_keys
from balmi.report.paths import Shown
from balmi.report.predictions.pictures import prediction_pictures
from balmi.report.predictions.sentences import MOST_ROWS
from balmi.report.predictions.view import (
    build_prediction_view,
    reliability_table,
    scores_table,
)
from balmi.report.render import SPARE_BYTES, environment, page_room, warned, write_page
from balmi.report.sections.performance.closeup_figures import reliability_figures
from balmi.report.sections.provenance.downloads import data_uri

if TYPE_CHECKING:
    from collections.abc import Mapping

    from balmi.report.kit.figures import Drawn

RELIABILITY = (
    "Predictions in ten bins by the probability of the predicted class: the share that is right,"
    " with a 95 % interval (Wilson). Bars: the share of predictions with that probability. Below"
    " the dotted diagonal the model is too sure, above it too modest."
)


def build_prediction_page(
    predictions: Path, about: Path, settings: Mapping[str, Any], html: Path, concluded: Path
) -> str | None:
    """Write the page of a prediction, and what it concludes; of one that was refused, why.

    Parameters
    ----------
    predictions, about
        What `balmi.prediction.predict.predict_files` wrote.
    settings
        The prediction's own settings.
    html
        The page to write.
    concluded
        The JSON file to write that the end of a run and the report of the model's dataset read.

    Returns
    -------
    str or None
        Why figures are missing; None where none is.

    Raises
    ------
    UserError
        Where a file is damaged, or the page would be too large.
    """
    shown = Shown(Path.cwd(), settings)
    told = read_json(about, FORMAT)
    refusal = Refusal.of(told)
    if refusal is not None:
        build_refused_page(told["name"], refusal, settings, html, concluded)
        return None
    told["remarks"] = [shown.text(line) for line in told["remarks"]]
    table = read_table(predictions, "new_samples")
    view = build_prediction_view(told, table)
    figures: Drawn = prediction_pictures(view)
    drawn = view.external is not None and bool(view.external.reliability[0].bins)
    if view.external is not None and drawn:
        panels = reliability_figures(view.external.reliability)
        figures["reliability"] = replace(panels, reading=RELIABILITY, data="reliability")
        for part in panels.parts:
            part.inline  # noqa: B018 (drawn here: the page says at its top whether it was possible)
    facts = {
        "view": view,
        "figures": figures,
        "undrawn": warned() if drawn else None,
        "class_keys": class_keys(view.class_names),
        "listed": MOST_ROWS,
        "configuration": _configuration(shown, settings),
        "path": shown.path(predictions),
        "scores": view.external
        and {
            "scores": data_uri(csv_text(scores_table(view.external))),
            "reliability": data_uri(csv_text(reliability_table(view.external))),
        },
    }
    template = environment().get_template("prediction.html")
    bare = template.render(**facts, download=None)
    uri = data_uri(csv_text(table))
    fits = len(uri) <= page_room(bare) - SPARE_BYTES
    write_page(template.render(**facts, download=uri if fits else None), Path(html))
    write_json(view.as_json(), concluded, FORMAT)
    return facts["undrawn"]


def _configuration(shown: Shown, settings: Mapping[str, Any]) -> str:
    return json.dumps(shown.settings(dict(settings)), indent=2, ensure_ascii=False)


def build_refused_page(
    name: str, refusal: Refusal, settings: Mapping[str, Any], html: Path, concluded: Path
) -> None:
    """Write the page of a prediction that was refused or failed, and what others tell of it.

    Parameters
    ----------
    name
        The prediction's name.
    refusal
        Why there is nothing to show.
    settings, html, concluded
        As `build_prediction_page` takes them. Of no model is what lies in ``concluded`` then.
    """
    shown = Shown(Path.cwd(), settings)
    page = (
        environment()
        .get_template("refused.html")
        .render(
            name=name,
            refusal=refusal,
            problems=[shown.settings(asdict(problem)) for problem in refusal.problems],
            configuration=_configuration(shown, settings),
        )
    )
    write_page(page, Path(html))
    told = {"sentence": refusal.headline, "value": None, "state": None}
    nothing = {
        "name": name,
        "dataset": None,
        "model": None,
        "evaluation": None,
        "validation": False,
        "conclusions": [told],
    }
    write_json(nothing | refusal.as_json(), concluded, FORMAT)
