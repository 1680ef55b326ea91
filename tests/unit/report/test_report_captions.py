"""The captions in Snakemake's own report: right for every way of making test folds."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils.core import publish_parts
from jinja2 import Environment, StrictUndefined

from balmi.config.settings import Configuration

FOLDER = Path(__file__).parents[3] / "workflow" / "report"
FILE = {"path": "values.csv", "kind": "generic"}
BASE = {"samples": "samples.csv", "label": "subtype", "modalities": {"rna": FILE}}
GROUPED = {**BASE, "group": "site"}


def caption(name: str, **facts: object) -> str:
    """Return a caption as the HTML that Snakemake makes of it; a warning is an error."""
    source = (FOLDER / name).read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, autoescape=False)
    text = environment.from_string(source).render(snakemake=SimpleNamespace(**facts))
    strict = {"halt_level": 2, "report_level": 2, "file_insertion_enabled": False}
    return " ".join(publish_parts(text, writer="html5", settings_overrides=strict)["body"].split())


def of_report(dataset: dict, evaluation: dict) -> str:
    settings = Configuration.model_validate(
        {"datasets": {"own": dataset}, "evaluation": evaluation}
    )
    told = settings.model_dump(mode="json")
    params = SimpleNamespace(settings=told, dataset=told["datasets"]["own"])
    return caption("report.rst", wildcards=SimpleNamespace(dataset="own"), params=params)


@pytest.mark.parametrize(
    ("dataset", "evaluation", "told"),
    [
        (BASE, {"repeats": 3, "folds": 4, "seed": 7}, "3 repeats of 4, first seed 7."),
        (BASE, {"repeats": 1}, "1 repeat of 5, first seed 0."),
        (BASE, {}, "repeats by the number of samples, each of 5, first seed 0."),
        (GROUPED, {"scheme": "leave-one-group-out"}, "every group (<span"),
        (
            {**GROUPED, "folds": ["a`b", "<b>"]},
            {"scheme": "leave-one-group-out"},
            "those that the dataset names (<span",
        ),
        (BASE, {"training_share": 0.25}, "Training on 25 % of the training samples."),
    ],
)
def test_the_caption_tells_how_samples_were_held_out(dataset, evaluation, told):
    text = of_report(dataset, evaluation)
    assert told in text
    assert "<b>" not in text
    assert ("seed" in text) == ("scheme" not in evaluation)
    assert "Methods: pooled, unimodal-pooled, balanced, " in text


def test_the_other_captions_interpolate_the_configuration():
    assert "All 2 datasets" in caption("overview.rst", input=["a", "b"])
    assert "The dataset: what" in caption("overview.rst", input=["a"])
    config = {"datasets": {"one": {}, "two": {}}}
    assert "Datasets: one, two." in caption("workflow.rst", config=config)
