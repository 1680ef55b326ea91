"""Write the overview across datasets: one self-contained file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from balmi.data.files import csv_text, read_json
from balmi.report.overview import figures
from balmi.report.overview.view import overview_view, rows_table
from balmi.report.render import environment, scripted, write_page
from balmi.report.sections.provenance.downloads import data_uri
from balmi.report.view import FORMAT

if TYPE_CHECKING:
    from collections.abc import Mapping


def build_overview(views: Mapping[Path, str], html: Path) -> None:
    """Write the overview across datasets.

    Parameters
    ----------
    views
        The JSON files that `balmi.report.render.build_report` wrote, in the order of the rows ->
        where the dataset's report lies from the overview inside Snakemake's zipped report.
    html
        The page to write; it links to ``<dataset>/report.html`` beside it.

    Raises
    ------
    UserError
        Where a file was written by another version, datasets follow different metrics, or the page
        would be too large.
    """
    summaries = {path: read_json(path, FORMAT) for path in views}
    overview = overview_view(summaries, views)
    facts = {
        "overview": overview,
        "csv": data_uri(csv_text(rows_table(overview))),
        "sizes": figures,
        **scripted("page.js", "overview.js"),
    }
    write_page(environment().get_template("overview.html").render(**facts), Path(html))
