"""Write the page of a prediction: one self-contained file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from balmi.data.files import csv_text, read_json, read_table
from balmi.data.model_files import FORMAT
from balmi.report.kit.drawing import class_keys
from balmi.report.paths import Shown
from balmi.report.predictions.view import MOST_ROWS, build_prediction_view
from balmi.report.render import SPARE_BYTES, environment, page_room, warned, write_page
from balmi.report.sections.performance.closeup_figures import reliability_figures
from balmi.report.sections.provenance.downloads import data_uri

if TYPE_CHECKING:
    from collections.abc import Mapping


def build_prediction_page(
    predictions: Path, about: Path, settings: Mapping[str, Any], html: Path
) -> str | None:
    """Write the page of a prediction.

    Parameters
    ----------
    predictions, about
        What `balmi.prediction.predict.predict_files` wrote.
    settings
        The prediction's own settings.
    html
        The page to write.

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
    told["remarks"] = [shown.text(line) for line in told["remarks"]]
    table = read_table(predictions, "new_samples")
    view = build_prediction_view(told, table)
    figures = {}
    if view.external is not None and view.external.reliability[0].bins:
        figures["reliability"] = reliability_figures(view.external.reliability)
        for part in figures["reliability"].parts:
            part.inline  # noqa: B018 (drawn here: the page says at its top whether it was possible)
    facts = {
        "view": view,
        "figures": figures,
        "undrawn": warned() if figures else None,
        "class_keys": class_keys(view.class_names),
        "most_rows": MOST_ROWS,
        "configuration": json.dumps(shown.settings(dict(settings)), indent=2, ensure_ascii=False),
        "path": shown.path(predictions),
    }
    template = environment().get_template("prediction.html")
    bare = template.render(**facts, download=None)
    uri = data_uri(csv_text(table))
    fits = len(uri) <= page_room(bare) - SPARE_BYTES
    write_page(template.render(**facts, download=uri if fits else None), Path(html))
    return facts["undrawn"]
