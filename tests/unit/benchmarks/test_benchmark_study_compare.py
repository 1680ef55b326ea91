"""Scores of a cohort's variants, from the files that their jobs leave."""

import numpy as np
import pandas as pd
import pytest

from balmi.data.cohort import write_cohort
from balmi.data.files import write_table
from balmi.data.splits import Split
from balmi.methods.deciding import Said
from balmi.methods.outcome import (
    Result,
    Status,
    empty_predictions,
    prediction_table,
    write_outcome,
)
from study.compare import Cell, read_scores, score_cohort
from study.plan import load_study

CONFIG = {
    "phase": "tune",
    "phases": {
        "tune": {
            "seed": 0,
            "summary": "results/study",
            "variants": ["one-member", "unimodal-lr", "snf"],
        }
    },
    "cohorts": {"kipan": {}},
    "variants": {
        "balanced": {},
        "one-member": {"training": {"members": 1}},
        "unimodal-lr": {},
        "snf": {},
    },
}
LABELS = np.array([0, 1, 1, 1, 0, 0])
FOLDS = [Split(0, 0, np.arange(2), np.arange(2), np.arange(2, 6))]
FOLDS += [Split(0, 1, np.arange(2, 6), np.arange(2, 6), np.arange(2))]


@pytest.fixture
def scored(tmp_path, make_cohort):
    """Score a variant that is right with certainty, one with a part, and one that failed."""
    study, cohort = load_study(CONFIG), make_cohort(LABELS)
    write_cohort(cohort, tmp_path / "cohort.h5mu")
    head = {"repeat": 0, "held_out": None, "sample": cohort.samples, "inner": -1}
    dealt = [
        pd.DataFrame(head | {"fold": split.fold}).assign(
            part=np.where(np.isin(np.arange(6), split.test), "test", "train")
        )
        for split in FOLDS
    ]
    write_table(pd.concat(dealt), tmp_path / "splits.parquet")
    right = np.eye(2)[LABELS]
    says = {"balanced": right, "unimodal-lr": right[:, ::-1], "unimodal-lr/rna": right}

    def write(variant, method, names, status="ok", reason=None):
        tables = [
            prediction_table(name, fold, Said(says[name][fold.test]), cohort)
            for name in names
            for fold in FOLDS
        ]
        predictions = pd.concat(tables) if tables else empty_predictions(cohort.classes)
        folder = tmp_path / variant / method
        files = folder / "predictions.parquet", folder / "status.json"
        write_outcome(Status(method, status, reason, "cpu", 1.5), Result(predictions), *files)

    write("variants/one-member", "balanced", ["balanced"])
    write("methods", "unimodal-lr", ["unimodal-lr", "unimodal-lr/rna"])
    write("methods", "snf", [], "not_applicable", "too few samples")
    files = {name: str(tmp_path / f"{name}.csv") for name in ("scores", "statuses")}
    score_cohort(study, "kipan", str(tmp_path), **files)
    return read_scores([tmp_path])


def test_scores_bear_the_variant_s_name(scored):
    scores, _ = scored
    assert scores.variants("kipan") == ["one-member", "unimodal-lr", "unimodal-lr/rna"]
    assert list(scores.table["phase"].unique()) == ["tune"]
    assert scores.mean(Cell("kipan", "one-member"), "macro_f1") == 1
    assert scores.mean(Cell("kipan", "unimodal-lr"), "accuracy") == 0
    assert scores.mean(Cell("kipan", "unimodal-lr/rna"), "log_loss") == 0


def test_folds_of_four_and_two_of_six_samples(scored):
    scores, _ = scored
    assert scores.ratios["kipan"] == pytest.approx((4 / 2 + 2 / 4) / 2)


def test_how_variants_ended(scored):
    _, ends = scored
    ends = ends.set_index("variant")
    assert ends.loc["snf", ["status", "reason"]].tolist() == ["not_applicable", "too few samples"]
    assert (ends.drop("snf")["status"] == "ok").all()


def test_a_score_that_a_fold_leaves_undefined_is_none(scored):
    scores, _ = scored
    table = scores.table.copy()
    table.loc[table.index[0], "value"] = np.nan
    metric = table["metric"].iloc[0]
    holed = type(scores)(table, scores.ratios)
    assert holed.of(Cell("kipan", "one-member"), metric) is None
