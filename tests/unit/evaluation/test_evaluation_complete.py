"""Comparisons on complete samples: whom they hold, and that absence gains nothing in them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from evaluated import evaluated

from balmi.config.settings import Evaluation, Method, PrimaryMetric
from balmi.data.splits import as_splits, make_splits
from balmi.evaluation.complete import _matched, comparisons_of, modalities_of
from balmi.evaluation.scoring import performance_table
from balmi.evaluation.statistics import held_out_ratio, holm
from balmi.methods.peers.run import fit_baseline
from balmi.preprocess.features import Features

PEERS = (Method.STACKED_LR, Method.UNIMODAL_LR, Method.ABSENCE_LR)
MAIN = "method == 'stacked-lr' and reference == 'unimodal-lr' and metric == 'macro_f1'"


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("balanced", {"rna", "a/b"}),
        ("unimodal-lr", {"rna", "a/b"}),
        ("unimodal-lr/rna", {"rna"}),
        ("unimodal-lr/a/b", {"a/b"}),
        ("unimodal-pooled", {"rna", "a/b"}),
        ("unimodal-pooled/rna", {"rna"}),
        ("pooled/linear", {"rna", "a/b"}),
        ("absence-lr", set()),
        ("majority", set()),
    ],
)
def test_modalities_of_a_method(method, expected):
    assert modalities_of(method, ("rna", "a/b")) == expected


def noise(make_cohort, seed, lacks):
    """Return two modalities of pure noise; `lacks` gives the share without protein by class."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(150) % 3)
    cohort = make_cohort(labels, {"rna": 15, "protein": 12})
    values = {name: rng.standard_normal(table.shape) for name, table in cohort.tables.items()}
    values["protein"][rng.random(150) < np.asarray(lacks)[labels]] = np.nan
    return replace(cohort, values=values)


def predicted_by_peers(cohort, seed=0):
    splits = as_splits(make_splits(cohort, Evaluation(repeats=2, seed=seed)), cohort)
    features = Features(cohort, 100)
    found = [fit_baseline(peer, cohort, features, splits).predictions for peer in PEERS]
    return pd.concat(found, ignore_index=True)


def compared(predictions, cohort, metric="macro_f1"):
    """Return the comparisons by one metric, of all samples and of complete ones."""
    scores = performance_table(predictions, cohort, [metric])
    ratio = held_out_ratio(predictions, len(cohort.samples))
    return comparisons_of(predictions, cohort, scores, ratio, PrimaryMetric(metric))


@pytest.mark.parametrize("lacks", [(0, 0, 1), (0.25, 0.25, 0.9)])
def test_a_gain_by_absence_is_none_on_complete_samples(make_cohort, lacks):
    cohorts = [noise(make_cohort, seed, lacks) for seed in range(2)]
    found = [compared(predicted_by_peers(cohort), cohort).query(MAIN) for cohort in cohorts]
    rows = pd.concat(found).groupby("samples")
    everyone, complete = rows.get_group("all"), rows.get_group("complete")
    assert (everyone["difference"] > 0.1).all()
    assert (complete["lower"] <= 0).all()
    assert complete["difference"].abs().mean() < everyone["difference"].mean() / 2


def test_complete_rows_are_those_of_all_samples_where_nobody_lacks_anything(make_cohort):
    cohort = make_cohort(np.tile([0, 1, 2], 12), {"rna": 6, "protein": 5})
    splits = as_splits(make_splits(cohort, Evaluation(repeats=1, folds=3)), cohort)
    features = Features(cohort, 100)
    predictions = pd.concat(
        [fit_baseline(peer, cohort, features, splits).predictions for peer in PEERS[:2]]
    )
    rows = evaluated(predictions, cohort)["comparisons"]
    keys = ["method", "reference", "metric"]
    rows = rows.drop(columns="p_holm")  # of other families
    everyone = rows.query("samples == 'all'").drop(columns="samples").sort_values(keys)
    complete = rows.query("samples == 'complete'").drop(columns="samples").sort_values(keys)
    pd.testing.assert_frame_equal(everyone.reset_index(drop=True), complete.reset_index(drop=True))


def test_modalities_that_no_sample_shares_have_no_complete_row(make_cohort):
    cohort = make_cohort(np.tile([0, 1], 30), {"rna": 6, "protein": 5})
    values = {name: table.copy() for name, table in cohort.tables.items()}
    values["rna"][:30], values["protein"][30:] = np.nan, np.nan
    cohort = replace(cohort, values=values)
    table = compared(predicted_by_peers(cohort), cohort)
    assert table.query(MAIN)["samples"].tolist() == ["all"]
    alone = table.query("method == 'unimodal-lr/rna' and reference == 'absence-lr'")
    assert set(alone["samples"]) == {"all", "complete"}


def test_complete_test_samples_that_repeat_count_once(make_cohort):
    """Partitions that differ in samples without protein alone test the same complete ones."""
    cohort = make_cohort(np.tile([0, 1], 20), {"rna": 6, "protein": 5})
    values = {name: table.copy() for name, table in cohort.tables.items()}
    values["protein"][20:] = np.nan
    cohort = replace(cohort, values=values)
    rng = np.random.default_rng(0)
    parts = []
    for method in ("stacked-lr", "unimodal-lr"):
        first = rng.dirichlet(np.ones(2), 40)
        for repeat in range(4):
            fold = np.arange(40) // 2 % 2
            fold[20:] = rng.permutation(fold[20:])
            head = {"method": method, "repeat": repeat, "fold": fold, "sample": cohort.samples}
            head |= {f"p:{name}": first[:, code] for code, name in enumerate(cohort.classes)}
            parts.append(pd.DataFrame(head))
    rows = evaluated(pd.concat(parts, ignore_index=True), cohort)["comparisons"]
    counted = rows.query("metric == 'macro_f1'").groupby("samples")[["folds", "dealt"]].max()
    assert counted.loc["all"].tolist() == [8, 8]
    assert counted.loc["complete"].tolist() == [2, 8]


def test_labels_of_test_samples_change_no_matching(make_cohort):
    """Whatever the labels of a fold's test samples are, its own probabilities stay."""
    cohort = noise(make_cohort, 0, (0.2, 0.2, 0.6))
    predictions = predicted_by_peers(cohort).query("repeat == 0").reset_index(drop=True)
    complete = cohort.available.all(axis=1)
    first = predictions["fold"] == 0
    tested = cohort.positions(predictions.loc[first, "sample"])
    labels = cohort.labels.copy()
    labels[tested] = 0
    one, other = (
        _matched(predictions, each, complete) for each in (cohort, replace(cohort, labels=labels))
    )
    pd.testing.assert_frame_equal(one[one["fold"] == 0], other[other["fold"] == 0])
    assert not one.equals(other)  # in other folds they are training samples


def test_a_fold_is_matched_to_its_complete_training_samples(make_cohort):
    cohort = noise(make_cohort, 0, (0.2, 0.2, 0.6))
    predictions = predicted_by_peers(cohort)
    complete = cohort.available.all(axis=1)
    fold = predictions.query("repeat == 0 and fold == 0").reset_index(drop=True)
    trained = np.setdiff1d(np.flatnonzero(complete), cohort.positions(fold["sample"]))
    shares = np.bincount(cohort.labels[trained], minlength=3) / len(trained)
    for _, part in _matched(fold, cohort, complete).groupby("method"):
        columns = [f"p:{name}" for name in cohort.classes]
        assert part[columns].mean().to_numpy() == pytest.approx(shares, abs=1e-6)


def test_classes_are_decided_on_anew_by_the_rule_of_the_method(make_cohort):
    cohort = noise(make_cohort, 0, (0.2, 0.2, 0.6))
    predictions = predicted_by_peers(cohort).query("method != 'absence-lr'")
    power = np.where(predictions["method"] == "stacked-lr", 1.0, 0.0)
    predictions = predictions.assign(predicted=cohort.classes[0], prior_power=power)
    complete = cohort.available.all(axis=1)
    columns = [f"p:{name}" for name in cohort.classes]
    matched = _matched(predictions, cohort, complete)
    for fold, part in matched.groupby(["repeat", "fold"]):
        tested = predictions[(predictions[["repeat", "fold"]] == fold).all(axis=1)]["sample"]
        trained = np.setdiff1d(np.flatnonzero(complete), cohort.positions(tested))
        shares = np.bincount(cohort.labels[trained], minlength=3) / len(trained)
        divided = part["method"].eq("stacked-lr").to_numpy()[:, None]
        scores = part[columns].to_numpy() / np.where(divided, shares, 1)
        expected = np.array(cohort.classes)[scores.argmax(axis=1)]
        assert part["predicted"].tolist() == expected.tolist()
    assert matched["predicted"].nunique() == 3


def test_holm_counts_all_references_of_a_method_on_complete_samples(make_cohort):
    """References that need different modalities are of one family all the same."""
    cohort = noise(make_cohort, 1, (0.3, 0.3, 0.3))
    rows = compared(predicted_by_peers(cohort), cohort, "macro_auroc")
    rows = rows.query("samples == 'complete' and method == 'unimodal-lr/rna'")
    assert len(rows) == 4
    twins = rows.drop_duplicates(["difference", "p"])
    expected = dict(zip(twins["p"], holm(twins["p"]), strict=True))
    assert rows["p_holm"].to_numpy() == pytest.approx([expected[p] for p in rows["p"]])
    assert (rows["p_holm"] > rows["p"]).any()
