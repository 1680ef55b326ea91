"""Write the report of a dataset, and the overview across datasets: one self-contained file each."""

from __future__ import annotations

import base64
import hashlib
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from balmi.config.advanced import scattered
from balmi.config.catalogue import as_configured
from balmi.data.cohort import read_roster
from balmi.data.files import read_json, read_table, replace_when_written, write_json
from balmi.errors import Problem, UserError
from balmi.evaluation.primary import ROLES, Roles
from balmi.evaluation.verdicts import NOT_SEPARABLE, Verdict
from balmi.report.contents import SECTIONS, figures_of
from balmi.report.gists import GISTS
from balmi.report.inputs import ReportInputs
from balmi.report.kit import drawing, words
from balmi.report.kit.engine import engine
from balmi.report.kit.figures import save_figures
from balmi.report.kit.metrics import Metric, metrics_of
from balmi.report.paths import Shown
from balmi.report.sections.information.refusals import MAX_WHICH
from balmi.report.sections.performance.figures import MAX_DOTS
from balmi.report.sections.performance.scores import OF_CLASS
from balmi.report.sections.provenance.downloads import Packed, downloads, packed
from balmi.report.sections.provenance.view import WORKS, commit, seeds, versions
from balmi.report.sections.verdict.answers import meanings
from balmi.report.view import FORMAT, View, build_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


__all__ = ["ReportInputs", "build_overview", "build_report", "commit", "versions"]

logger = logging.getLogger("balmi")

TEMPLATES = Path(__file__).with_name("templates")
FOLDERS = [TEMPLATES, *(TEMPLATES.with_name("sections") / name for name in ("verdict", *SECTIONS))]
# Chromium leaves a page that `snakemake --report` puts in an iframe blank above about 1.57 MB.
MAX_BYTES = 1_500_000
SPARE_BYTES = 10_000


def environment() -> Environment:
    """Return what renders templates, with all that they know."""
    environment = Environment(
        loader=FileSystemLoader(FOLDERS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = hashlib.sha256(script.encode()).digest()
    environment.filters |= {
        name: getattr(words, name)
        for name in (
            "chance",
            "with_p",
            "decimal",
            "shortened",
            "signed",
            "percent",
            "limits",
            "with_limits",
            "beside",
            "joined",
            "counted",
        )
    }
    environment.globals |= {
        "script": Markup(script),
        "script_hash": base64.b64encode(digest).decode(),
        "marks": drawing.MARKS,
        "class_metrics": metrics_of(OF_CLASS),
        "verdicts": [drawing.MARKS[str(word)] for word in Verdict],
        "unknown": drawing.UNKNOWN,
        "chance": words.chance,
        "decimal": words.decimal,
        "percent": words.percent,
        "signed": words.signed,
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
        The page to write; at most `MAX_BYTES`.
    view
        The JSON file to write that `build_overview` reads.
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
    for part in (part for figure in drawn.values() for part in figure.parts):
        part.inline  # noqa: B018 (drawn here: the page says at its top whether that was possible)
    undrawn = warned()
    facts = {
        "view": content,
        "figures": drawn,
        "undrawn": undrawn,
        "keys": drawing.modality_keys(content.summary.modalities),
        "class_keys": drawing.class_keys(content.summary.classes),
        "max_dots": MAX_DOTS,
        "provenance": _provenance(inputs),
        "predicted": inputs.predicted,
    }
    bare = template.render(**facts, downloads=downloads(tables, paths, 0), model=_model(inputs, 0))
    room = page_room(bare) - SPARE_BYTES
    offered = downloads(tables, paths, room)
    room -= sum(len(each.uri or "") for each in offered)
    model = _model(inputs, room)
    write_page(template.render(**facts, downloads=offered, model=model), Path(html))
    write_json(content.summary.as_json(), view, FORMAT)
    if figures is not None:
        save_figures(drawn, figures)
        undrawn = undrawn or warned()
    return undrawn


def _tallies(
    rows: Sequence[dict[str, Any]], pairs: Sequence[tuple[str, str]]
) -> list[dict[str, int]]:
    """Count the verdicts of every pair over the datasets that have something to combine."""
    combined = [row for row in rows if len(row["modalities"]) > 1]
    columns = ([row["pairs"][place] for row in combined] for place in range(len(pairs)))
    return [
        {
            str(word): sum(pair is not None and pair["verdict"] == word for pair in column)
            for word in Verdict
        }
        for column in columns
    ]


def _followed(rows: Sequence[dict[str, Any]]) -> Metric:
    """Return the metric that the verdicts of all datasets follow."""
    found = {row["dataset"]: Metric(**row["metric"]) for row in rows}
    metrics = set(found.values())
    if len(metrics) > 1:
        listed = ", ".join(f"{metric.key} for {name}" for name, metric in found.items())
        allowed = "one primary_metric for all datasets of an overview"
        raise UserError(Problem("primary_metric", listed, allowed))
    return metrics.pop()


def build_overview(views: Mapping[Path, str], html: Path) -> None:
    """Write the overview across datasets.

    Parameters
    ----------
    views
        The JSON files that `build_report` wrote, in the order of the rows -> where the dataset's
        report lies from the overview inside Snakemake's zipped report.
    html
        The page to write; it links to ``<dataset>/report.html`` beside it.

    Raises
    ------
    UserError
        Where a file was written by another version, datasets follow different metrics, or the page
        would be too large.
    """
    summaries = {path: read_json(path, FORMAT) for path in views}
    own = {Roles(**summary["decision"]["roles"]) for summary in summaries.values()}
    told = [each for each in ROLES if each in own]
    pairs = list(dict.fromkeys(pair for each in told for pair in meanings(each)))
    rows: list[dict[str, Any]] = []
    for path, within in views.items():
        summary = summaries[path]
        made = {(row["method"], row["reference"]): row for row in summary["differences"]}
        link = f"{quote(summary['dataset'], safe='')}/report.html"
        found = {"link": link, "within": within, "pairs": [made.get(pair) for pair in pairs]}
        rows.append(summary | found)
    facts = {
        "rows": rows,
        "pairs": pairs,
        "tallies": _tallies(rows, pairs),
        "metric": _followed(rows),
        "own": told[0].own,
    }
    write_page(environment().get_template("overview.html").render(**facts), Path(html))
