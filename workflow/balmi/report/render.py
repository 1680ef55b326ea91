"""Write the report of a dataset: one self-contained file."""

from __future__ import annotations

import base64
import hashlib
import logging
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from balmi import numerals
from balmi.config.advanced import scattered
from balmi.config.catalogue import as_configured
from balmi.data.cohort import read_roster
from balmi.data.files import read_table, replace_when_written, sha256, write_json
from balmi.errors import Problem, UserError
from balmi.evaluation.verdicts import NOT_SEPARABLE, Verdict
from balmi.logs import followed
from balmi.report.conclusions import differences
from balmi.report.contents import SECTIONS, figures_of
from balmi.report.gists import GISTS
from balmi.report.inputs import ReportInputs
from balmi.report.kit import drawing, words
from balmi.report.kit.engine import engine
from balmi.report.kit.figures import THICK, save_figures
from balmi.report.kit.metrics import metrics_of
from balmi.report.paths import Shown
from balmi.report.sections.information.refusals import MAX_WHICH
from balmi.report.sections.performance.figures import MAX_DOTS
from balmi.report.sections.performance.scores import OF_CLASS
from balmi.report.sections.provenance.downloads import Packed, downloads, embedded, packed
from balmi.report.sections.provenance.drawn import drawn_tables
from balmi.report.sections.provenance.validations import predicted_by
from balmi.report.sections.provenance.view import WORKS, commit, seeds, versions
from balmi.report.view import FORMAT, View, build_view

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["ReportInputs", "build_report", "commit", "versions"]

logger = logging.getLogger("balmi")

TEMPLATES = Path(__file__).with_name("templates")
FOLDERS = [TEMPLATES, *(TEMPLATES.with_name("sections") / name for name in ("verdict", *SECTIONS))]
# How templates print numbers and names.
FORMS = (
    *(words.chance, words.with_p, words.shortened, words.percent, words.joined),
    *(numerals.decimal, numerals.signed, numerals.limits, numerals.with_limits, numerals.beside),
    *(numerals.counted, numerals.counted_samples),
)
# Chromium leaves a page that `snakemake --report` puts in an iframe blank above about 1.57 MB.
MAX_BYTES = 1_500_000
MOST_ROWS = 10  # of a table that is shown whole; of a longer one the style sheet shows eight
SPARE_BYTES = 10_000


def scripted(*names: str) -> dict[str, str]:
    """Return the script of a page, made of these files, with the hash by which it may run."""
    script = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)
    digest = hashlib.sha256(script.encode()).digest()
    return {"script": Markup(script), "script_hash": base64.b64encode(digest).decode()}


@cache
def environment() -> Environment:
    """Return what renders templates, with all that they know: it compiles each of them once."""
    environment = Environment(
        loader=FileSystemLoader(FOLDERS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {each.__name__: each for each in FORMS}
    environment.globals |= {
        **scripted("page.js"),
        "marks": drawing.MARKS,
        "thick": THICK,
        "most_rows": MOST_ROWS,
        "class_metrics": metrics_of(OF_CLASS),
        "verdicts": [drawing.MARKS[str(word)] for word in Verdict],
        "unknown": drawing.UNKNOWN,
        "decided_by": differences.decided_by,
        "drawn_intervals": differences.drawn_intervals,
        "chance": words.chance,
        "decimal": numerals.decimal,
        "percent": words.percent,
        "signed": numerals.signed,
        "not_separable": NOT_SEPARABLE,
        "max_which": MAX_WHICH,
        "sections": SECTIONS,
        "gists": GISTS,
        "works": WORKS,
    }
    return environment


def _shown(inputs: ReportInputs) -> Shown:
    return Shown(Path.cwd(), [inputs.dataset_settings, inputs.settings])


def _provenance(inputs: ReportInputs) -> dict[str, Any]:
    config = {"datasets": {}, **scattered(inputs.settings)}
    config["datasets"] = {inputs.dataset: as_configured(inputs.dataset_settings)}
    config = _shown(inputs).settings(config)
    return {
        "versions": inputs.versions,
        "commit": inputs.commit,
        "seeds": seeds(inputs.settings),
        "licence": inputs.licence,
        "config": yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=96),
    }


def page_room(bare: str) -> int:
    """Return the bytes that are left on a page."""
    return MAX_BYTES - len(bare.encode())


def write_page(text: str, path: Path) -> None:
    """Write a page, whole or not at all.

    Raises
    ------
    UserError
        Where it is larger than `MAX_BYTES`.
    """
    size = len(text.encode())
    if size > MAX_BYTES:
        found = f"a page of {size:,} bytes"
        allowed = f"at most {MAX_BYTES:,} bytes; fewer classes, modalities or methods in one report"
        raise UserError(Problem(str(path), found, allowed))
    with replace_when_written(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def _model(inputs: ReportInputs, room: int) -> Packed | None:
    """Return the final model to download, None where there is none."""
    if inputs.model is None:
        return None
    return packed(inputs.model, _shown(inputs).path(inputs.model), room)


def _content(inputs: ReportInputs) -> tuple[View, dict[str, pd.DataFrame]]:
    """Return the view of a dataset, and the tables that it is made from."""
    shown = _shown(inputs)
    tables = {
        name: shown.table(read_table(path, name)) for name, path in inputs.table_paths.items()
    }
    cohort = read_roster(inputs.samples)
    cohort = replace(cohort, provenance=shown.provenance(cohort.provenance))
    return build_view(inputs.dataset, cohort, tables, inputs.settings, inputs.title), tables


def warned() -> str | None:
    """Return why this machine could not draw, and warn of it; None where it could."""
    reason = engine().failure
    if reason is not None:
        logger.warning("figures could not be drawn: %s", reason)
    return reason


def build_report(
    inputs: ReportInputs, html: Path, view: Path, figures: Path | None = None
) -> str | None:
    """Write the report of one dataset, and its figures as files.

    Parameters
    ----------
    inputs
        What the report is made of.
    html
        The page to write; at most `MAX_BYTES`. It names the predictions by the dataset's model that
        lie beside its folder.
    view
        The JSON file to write that the overview reads.
    figures
        The folder for the figures as SVG and PNG; None saves none.

    Returns
    -------
    str or None
        Why figures are missing, as the page and the folder say; None where none is.

    Raises
    ------
    UserError
        Where the page would be larger than a browser shows inside Snakemake's own report.
    """
    content, tables = _content(inputs)
    drawn = figures_of(content)
    template = environment().get_template("report.html")
    paths = {name: _shown(inputs).path(path) for name, path in inputs.table_paths.items()}
    checksums = {name: sha256(path) for name, path in inputs.table_paths.items()}
    parts = [part for figure in drawn.values() for part in figure.parts]
    for part in followed(parts, "drawing", "figure"):
        part.inline  # noqa: B018 (drawn here: the page says at its top whether that was possible)
    undrawn = warned()
    found = predicted_by(inputs.model, inputs.dataset, Path(html).parent.parent)
    facts = {
        "view": content,
        "figures": drawn,
        "undrawn": undrawn,
        "keys": drawing.modality_keys(content.summary.modalities),
        "class_keys": drawing.class_keys(content.summary.classes),
        "max_dots": MAX_DOTS,
        "provenance": _provenance(inputs),
        "predicted": found.current,
        "outdated": found.outdated,
    }
    held = tables, embedded(tables, drawn_tables(content, tables)), paths, checksums
    bare = template.render(**facts, downloads=downloads(*held, 0), model=_model(inputs, 0))
    room = page_room(bare) - SPARE_BYTES
    offered = downloads(*held, room)
    room -= sum(len(each.uri or "") for each in offered)
    model = _model(inputs, room)
    write_page(template.render(**facts, downloads=offered, model=model), Path(html))
    write_json(content.summary.as_json(), view, FORMAT)
    if figures is not None:
        save_figures(drawn, figures)
        undrawn = undrawn or warned()
    return undrawn
