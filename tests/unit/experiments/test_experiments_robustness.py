"""What worse and fewer samples do, by hand and by what Shapley values must satisfy."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, log_loss

from balmi.config.settings import Evaluation, PrimaryMetric, Robustness
from balmi.data.splits import as_splits, make_splits
from balmi.evaluation.statistics import corrected_interval, split_ratio
from balmi.experiments.probes.alterations import empty_probes, joining_orders, probes_of
from balmi.experiments.probes.contributions import contribution_table, fold_contributions
from balmi.experiments.probes.embedding import (
    centred_log_ratio,
    embedding_table,
    feature_places,
)
from balmi.experiments.robustness import dropped_table, robustness_table
from balmi.experiments.scores import ALWAYS, all_scores
from balmi.methods.outcome import empty_predictions
from balmi.preprocess.features import Features
from balmi.tables.contract import TABLES

SETTINGS = Robustness(noise=[1, 4])
FOLLOWED = PrimaryMetric.MACRO_F1
MODALITIES = ("rna", "mirna", "dna")
REPEATS, FOLDS = 2, 3


@pytest.fixture
def cohort(make_cohort):
    cohort = make_cohort(np.arange(30) % 3, dict.fromkeys(MODALITIES, 2))
    values = {name: table.copy() for name, table in cohort.tables.items()}
    values["mirna"][[4, 9]] = np.nan
    return replace(cohort, values=values)


def test_side(repeat, fold):
    return np.flatnonzero((np.arange(30) + repeat) // 10 % FOLDS == fold)


test_side.__test__ = False


def predicted(cohort, repeat, fold, strength, seed=0):
    """Return predictions that know the class, the better the larger the strength."""
    rows = test_side(repeat, fold)
    rng = np.random.default_rng((seed, repeat, fold))
    logits = rng.normal(size=(len(rows), 3))
    logits[np.arange(len(rows)), cohort.labels[rows]] += strength
    values = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    head = {"sample": cohort.samples[rows], "repeat": repeat, "fold": fold}
    columns = pd.DataFrame(values, columns=[f"p:{name}" for name in cohort.classes])
    return pd.concat([pd.DataFrame(head), columns], axis=1)


def every_fold(cohort, strength, seed=0, repeats=REPEATS, **columns):
    parts = [
        predicted(cohort, repeat, fold, strength, seed)
        for repeat in range(repeats)
        for fold in range(FOLDS)
    ]
    return pd.concat(parts, ignore_index=True).assign(**columns)


def splits_of(predictions):
    """Return splits in which every fold learns from all that it does not test."""
    once = predictions[["repeat", "fold", "sample"]].drop_duplicates()
    samples = once["sample"].unique()
    parts = []
    for (repeat, fold), tested in once.groupby(["repeat", "fold"])["sample"]:
        part = np.where(np.isin(samples, tested), "test", "train")
        parts.append(
            pd.DataFrame({"repeat": repeat, "fold": fold, "sample": samples, "part": part})
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def predictions(cohort):
    methods = [every_fold(cohort, 2.0, seed, method=f"m{seed}") for seed in range(3)]
    return pd.concat(methods, ignore_index=True)


@pytest.fixture
def probes(cohort):
    """Return the probes of two of three methods; the more is lost, the worse they are."""
    parts = []
    for seed, method in enumerate(("m0", "m1")):
        for place, each in enumerate(probes_of(MODALITIES, SETTINGS)):
            columns = {
                "method": method,
                "kind": str(each.kind),
                "modalities": "+".join(each.modalities),
                "level": each.level,
            }
            parts.append(
                every_fold(cohort, 0.6 * len(each.modalities), 100 * seed + place, **columns)
            )
    return pd.concat(parts, ignore_index=True)


def worse(cohort, predictions, probes, shares=None):
    splits = splits_of(predictions)
    scores = all_scores(cohort, predictions, probes, shares or {}, splits, FOLLOWED)
    return robustness_table(scores, cohort.modalities)


def added(cohort, predictions, probes):
    scores = all_scores(cohort, predictions, probes, {}, splits_of(predictions), FOLLOWED)
    return contribution_table(scores, cohort.modalities, SETTINGS)


def scores(cohort, table, metric):
    """Return a metric of every fold, by scikit-learn."""
    found = []
    for _, part in table.groupby(["repeat", "fold"]):
        labels = cohort.labels[cohort.positions(part["sample"])]
        values = part.filter(like="p:").to_numpy()
        if metric == "macro_f1":
            found.append(f1_score(labels, values.argmax(axis=1), average="macro"))
        else:
            found.append(log_loss(labels, values))
    return np.array(found)


def of(table, **wanted):
    for name, value in wanted.items():
        table = table[table[name] == value]
    return table


RATIO = 10 / 20


@pytest.mark.parametrize("metric", ["macro_f1", "log_loss"])
@pytest.mark.parametrize(
    ("kind", "level", "probe"),
    [
        ("noise", 4.0, {"kind": "noise", "modalities": "mirna", "level": 4.0}),
        ("dropped", None, {"kind": "subset", "modalities": "rna+dna"}),
        ("shuffled", None, {"kind": "shuffled", "modalities": "mirna"}),
    ],
)
def test_a_change_of_test_samples(kind, level, probe, metric, cohort, predictions, probes):
    table = worse(cohort, predictions, probes)
    row = of(table, method="m1", kind=kind, modality="mirna", metric=metric)
    row = (row if level is None else of(row, level=level)).squeeze()
    values = scores(cohort, of(probes, method="m1", **probe), metric)
    before = scores(cohort, of(predictions, method="m1"), metric)
    assert row["value"] == pytest.approx(values.mean())
    found = corrected_interval(values - before, RATIO)
    expected = found.mean, found.lower, found.upper
    assert row[["difference", "difference_lower", "difference_upper"]].tolist() == pytest.approx(
        expected
    )
    plain = corrected_interval(values, RATIO)
    top = 1 if metric == "macro_f1" else np.inf
    assert row["lower"] == pytest.approx(max(0, plain.lower))
    assert row["upper"] == pytest.approx(min(top, plain.upper))
    assert row["folds"] == 6


@pytest.mark.parametrize("kind", ["noise", "shuffled"])
def test_a_draw_of_test_samples_is_compared_with_itself(kind, cohort, predictions, probes):
    """Noise on some of the samples of a fold stands beside what was said of these, unchanged."""
    drawn = set(cohort.samples[np.arange(30) % 5 != 0])
    some = probes[(probes["kind"] == "subset") | probes["sample"].isin(drawn)]
    table = worse(cohort, predictions, some)
    row = of(table, method="m1", kind=kind, modality="mirna", metric="log_loss").iloc[-1]
    kept = predictions[predictions["sample"].isin(drawn)]
    before = scores(cohort, of(kept, method="m1"), "log_loss")
    asked = of(some, method="m1", kind=kind, modalities="mirna")
    asked = asked if kind == "shuffled" else of(asked, level=4.0)
    values = scores(cohort, asked, "log_loss")
    assert len(asked) == len(of(kept, method="m1"))
    assert row["value"] == pytest.approx(values.mean())
    assert row["difference"] == pytest.approx((values - before).mean())
    start = of(table, method="m1", kind="noise", modality="mirna", metric="log_loss").iloc[0]
    assert start["value"] == pytest.approx(before.mean())
    assert start["difference"] == 0
    # What a missing modality costs is known of everyone.
    lost = of(table, method="m1", kind="dropped", modality="mirna", metric="log_loss").squeeze()
    everyone = scores(cohort, of(predictions, method="m1"), "log_loss")
    without = scores(
        cohort, of(probes, method="m1", kind="subset", modalities="rna+dna"), "log_loss"
    )
    assert lost["difference"] == pytest.approx((without - everyone).mean())


def test_noise_starts_at_what_the_method_said(cohort, predictions, probes):
    table = of(worse(cohort, predictions, probes), kind="noise", metric="macro_f1")
    for method in ("m0", "m1"):
        own = of(table, method=method, modality="dna")
        assert own["level"].tolist() == [0, 1, 4]
        whole = scores(cohort, of(predictions, method=method), "macro_f1").mean()
        assert own["value"].iloc[0] == pytest.approx(whole)
        assert own.iloc[0][["difference", "difference_lower", "difference_upper"]].tolist() == [
            0,
            0,
            0,
        ]
    assert set(table["method"]) == {"m0", "m1"}


def test_shares_are_compared_in_their_folds_by_their_own_ratio(cohort, predictions):
    shares = {
        0.5: every_fold(cohort, 1.0, 7, repeats=1, method="m1"),
        0.25: every_fold(cohort, 0.5, 8, repeats=1, method="m1"),
    }
    probes = empty_probes(cohort.classes)
    table = of(worse(cohort, predictions, probes, shares), metric="log_loss")
    assert table["method"].unique().tolist() == ["m1"]
    assert table["kind"].unique().tolist() == ["share"]
    assert table["modality"].isna().all()
    assert table["level"].tolist() == [0.25, 0.5, 1]
    assert table["folds"].tolist() == [3, 3, 3]
    whole = scores(cohort, of(predictions, method="m1", repeat=0), "log_loss")
    for share, row in zip((0.25, 0.5), table.to_dict("records"), strict=False):
        values = scores(cohort, shares[share], "log_loss")
        ratio = 10 / (share * 20)
        assert ratio == pytest.approx(split_ratio(splits_of(predictions), share))
        found = corrected_interval(values - whole, ratio)
        assert row["value"] == pytest.approx(values.mean())
        assert row["difference"] == pytest.approx(found.mean)
        assert row["difference_lower"] == pytest.approx(found.lower)
        assert row["upper"] == pytest.approx(corrected_interval(values, ratio).upper)
    last = table.iloc[-1]
    assert last["value"] == pytest.approx(whole.mean())
    assert last["upper"] == pytest.approx(corrected_interval(whole, RATIO).upper)
    assert last["difference"] == 0


def test_a_method_without_rows_at_a_share_has_none_there(cohort, predictions):
    shares = {
        0.1: every_fold(cohort, 1.0, 7, repeats=1, method="m0"),
        0.5: pd.concat([every_fold(cohort, 1.0, 7, repeats=1, method=m) for m in ("m0", "m1")]),
        0.7: empty_predictions(cohort.classes),
    }
    table = worse(cohort, predictions, empty_probes(cohort.classes), shares)
    found = {name: part["level"].unique().tolist() for name, part in table.groupby("method")}
    assert found == {"m0": [0.1, 0.5, 1], "m1": [0.5, 1]}


def test_folds_without_a_value_do_not_count(cohort, predictions):
    """Where a fold has one class alone, macro AUROC is undefined and macro-F1 is not."""
    alone = replace(cohort, labels=np.where(np.arange(30) < 10, 0, cohort.labels))
    shares = {0.5: every_fold(cohort, 1.0, 7, repeats=1, method="m0")}
    table = of(worse(alone, predictions, empty_probes(cohort.classes), shares), level=0.5)
    assert table.set_index("metric")["folds"].to_dict() == {
        "macro_f1": 3,
        "macro_auroc": 2,
        "log_loss": 3,
    }


def check_contract(table, name):
    assert tuple(table) == TABLES[name].names
    TABLES[name].check(table)


def test_tables_hold_to_their_contract(cohort, predictions, probes):
    shares = {0.5: every_fold(cohort, 1.0, 7, repeats=1, method="m1")}
    check_contract(worse(cohort, predictions, probes, shares), "robustness")
    check_contract(added(cohort, predictions, probes), "contributions")
    check_contract(embedding_table(cohort, predictions, probes), "embedding")


def test_where_nothing_was_probed_tables_have_no_rows(cohort, predictions):
    nothing = empty_probes(cohort.classes)
    for table, name in (
        (worse(cohort, predictions, nothing, {}), "robustness"),
        (added(cohort, predictions, nothing), "contributions"),
        (embedding_table(cohort, predictions, nothing), "embedding"),
    ):
        assert table.empty
        check_contract(table, name)


def test_contributions_of_two_modalities_by_hand():
    parts = pd.DataFrame({"": [0.2, 0.1], "a": [0.6, 0.5], "b": [0.4, 0.1], "a+b": [0.7, 0.5]})
    found = fold_contributions(parts, ["a", "b"], joining_orders(2, SETTINGS))
    # a: ((.6 - .2) + (.7 - .4)) / 2 and so on.
    np.testing.assert_allclose(found, [[0.35, 0.15], [0.4, 0.0]])


@st.composite
def subset_scores(draw):
    """Return modalities and the value of every subset in two folds; two of them may be alike."""
    count = draw(st.integers(1, 6))
    names = list("abcdef"[:count])
    seeds = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns = {}
    for number in range(2**count):
        part = "+".join(name for place, name in enumerate(names) if number >> place & 1)
        columns[part] = seeds.normal(size=2)
    return names, pd.DataFrame(columns)


@given(subset_scores())
def test_contributions_sum_to_whole_minus_nothing_in_every_fold(case):
    names, parts = case
    found = fold_contributions(parts, names, joining_orders(len(names), SETTINGS))
    np.testing.assert_allclose(found.sum(axis=1), parts["+".join(names)] - parts[""], atol=1e-12)


@given(subset_scores())
def test_modalities_that_add_alike_contribute_alike_and_one_that_adds_nothing_nothing(case):
    names, parts = case
    if not 2 <= len(names) <= 5:
        return
    first, second, last = names[0], names[1], names[-1]

    def alike(part):
        held = set(part.split("+")) - {""}
        if second in held and first not in held:
            held = held - {second} | {first}
        return "+".join(sorted(held))

    symmetric = parts.assign(**{part: parts[alike(part)] for part in parts})
    found = fold_contributions(symmetric, names, joining_orders(len(names), SETTINGS))
    np.testing.assert_allclose(found[:, 0], found[:, 1], atol=1e-12)

    def without(part):
        return "+".join(sorted(set(part.split("+")) - {"", last}))

    useless = parts.assign(**{part: parts[without(part)] for part in parts})
    found = fold_contributions(useless, names, joining_orders(len(names), SETTINGS))
    np.testing.assert_allclose(found[:, -1], 0, atol=1e-12)


@pytest.mark.parametrize("metric", ["macro_f1", "log_loss"])
def test_contributions_of_a_method(metric, cohort, predictions, probes):
    table = added(cohort, predictions, probes)
    assert table["method"].unique().tolist() == ["m0", "m1"]
    own = of(table, method="m1", metric=metric)
    assert own["modality"].tolist() == list(MODALITIES)
    subset = of(probes, method="m1", kind="subset")
    names = {
        name: scores(cohort, of(subset, modalities=name), metric)
        for name in subset["modalities"].unique()
    }
    names["rna+mirna+dna"] = scores(cohort, of(predictions, method="m1"), metric)
    values = (
        (names["rna"] - names[""]) / 3
        + (names["rna+mirna"] - names["mirna"]) / 6
        + (names["rna+dna"] - names["dna"]) / 6
        + (names["rna+mirna+dna"] - names["mirna+dna"]) / 3
    )
    interval = corrected_interval(values, RATIO)
    first = own.iloc[0]
    assert first[["shapley", "lower", "upper"]].tolist() == pytest.approx(
        [interval.mean, interval.lower, interval.upper]
    )
    assert first["alone"] == pytest.approx(names["rna"].mean())
    assert own["nothing"].tolist() == pytest.approx([names[""].mean()] * 3)
    assert own["whole"].tolist() == pytest.approx([names["rna+mirna+dna"].mean()] * 3)
    assert own["shapley"].sum() == pytest.approx(first["whole"] - first["nothing"])
    assert set(own["folds"]) == {6}


def test_one_modality_contributes_everything(make_cohort):
    cohort = make_cohort(np.arange(30) % 3, {"rna": 2})
    predictions = every_fold(cohort, 2.0, 0, method="m0")
    columns = {"method": "m0", "kind": "subset", "modalities": "", "level": np.nan}
    probes = every_fold(cohort, 0.0, 1, **columns)
    table = of(added(cohort, predictions, probes), metric="log_loss")
    row = table.squeeze()
    assert row["shapley"] == pytest.approx(row["whole"] - row["nothing"])
    assert row["alone"] == row["whole"]
    dropped = of(worse(cohort, predictions, probes), kind="dropped", metric="log_loss")
    assert dropped["value"].tolist() == pytest.approx([row["nothing"]])


def test_log_ratios_by_hand():
    found = centred_log_ratio(np.array([[0.5, 0.25, 0.25], [1, 0, 0]]))
    np.testing.assert_allclose(found[0], [2 * np.log(2) / 3, -np.log(2) / 3, -np.log(2) / 3])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-12)


def test_the_embedding_is_the_principal_axes_of_all_blocks(cohort, predictions, probes):
    table = embedding_table(cohort, predictions, probes)
    assert table["sample"].tolist() == cohort.samples.tolist()
    assert table["class"].tolist() == [cohort.classes[code] for code in cohort.labels]
    blocks = []
    for name, part in [
        ("", of(predictions, method="m0")),
        *((name, of(probes, method="m0", kind="subset", modalities=name)) for name in MODALITIES),
    ]:
        logs = np.log(part.filter(like="p:").to_numpy())
        part = part[["sample"]].assign(
            **{str(k): v for k, v in enumerate((logs - logs.mean(1, keepdims=True)).T)}
        )
        block = part.groupby("sample").mean().to_numpy()
        if name == "mirna":
            has = ~np.isin(np.arange(30), [4, 9])
            block = block - block[has].mean(axis=0)
            block[~has] = 0
        blocks.append(block - block.mean(axis=0))
    u, s, v = np.linalg.svd(np.hstack(blocks), full_matrices=False)
    for axis, found in enumerate((table["x"], table["y"])):
        sign = np.sign(v[axis][np.abs(v[axis]).argmax()])
        np.testing.assert_allclose(found, sign * u[:, axis] * s[axis], atol=6e-5)


def test_places_by_features_weigh_modalities_alike_and_see_no_label(make_cohort):
    labels = np.tile([0, 1, 2], 10)
    cohort = make_cohort(labels, {"rna": 8, "mirna": 2})
    values = {name: table.copy() for name, table in cohort.tables.items()}
    values["mirna"][:3] = np.nan
    cohort = replace(cohort, values=values)
    split = as_splits(make_splits(cohort, Evaluation(repeats=1, folds=3)), cohort)[0]
    found = feature_places(cohort, Features(cohort, 20), split)
    blocks = []
    for table in values.values():
        train = table[split.fit]
        scaled = (table - np.nanmean(train, axis=0)) / np.nanstd(train, axis=0)
        blocks.append(np.nan_to_num(scaled) / np.sqrt(table.shape[1]))
    centred = np.hstack(blocks) - np.hstack(blocks).mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(found), np.abs(u[:, :2] * s[:2]), atol=1e-6)
    other = replace(cohort, labels=labels[::-1].copy())
    np.testing.assert_array_equal(feature_places(other, Features(other, 20), split), found)


def test_the_table_has_places_by_features_beside_the_others(cohort, predictions, probes):
    count = len(cohort.samples)
    places = np.column_stack([np.arange(count), np.arange(count) / 3])
    table = embedding_table(cohort, predictions, probes, places)
    check_contract(table, "embedding")
    assert table["features_x"].tolist() == list(range(count))
    assert table["features_y"].tolist() == (np.arange(count) / 3).round(4).tolist()
    without = embedding_table(cohort, predictions, probes)
    assert without[["features_x", "features_y"]].isna().all(axis=None)


def test_the_embedding_is_the_same_twice_and_of_the_first_method(cohort, predictions, probes):
    one = embedding_table(cohort, predictions, probes)
    pd.testing.assert_frame_equal(
        one, embedding_table(cohort, predictions, probes), check_exact=True
    )
    pd.testing.assert_frame_equal(
        one, embedding_table(cohort, predictions, of(probes, method="m0"))
    )


@pytest.mark.parametrize("followed", ["log_loss", "brier"])
def test_the_metric_that_verdicts_follow_is_among_those_of_both_tables(
    cohort, predictions, probes, followed
):
    def tables(metric):
        splits = splits_of(predictions)
        scores = all_scores(cohort, predictions, probes, {}, splits, PrimaryMetric(metric))
        yield "robustness", robustness_table(scores, cohort.modalities)
        yield "contributions", contribution_table(scores, cohort.modalities, SETTINGS)

    for (name, before), (_, table) in zip(tables(FOLLOWED), tables(followed), strict=True):
        TABLES[name].check(table)
        assert set(table["metric"]) == {*ALWAYS, followed}
        kept = table[table["metric"].isin(ALWAYS)].reset_index(drop=True)
        pd.testing.assert_frame_equal(kept, before, check_exact=True)


def test_the_ratio_of_a_share_is_that_of_the_folds_in_which_it_was_run(cohort, predictions):
    splits = splits_of(predictions)
    smaller = splits.query("fold > 0 and part == 'test'").index[::2]
    share = of(every_fold(cohort, 1.0, 7, repeats=1, method="m1"), fold=0)
    parts = cohort, predictions, empty_probes(cohort.classes), {0.5: share}
    found = all_scores(*parts, splits.drop(smaller), FOLLOWED).share_ratios
    assert found == {0.5: pytest.approx(10 / (0.5 * 20))}


def test_repeats_of_one_partition_are_no_further_evidence(cohort, predictions, probes):
    """A second repeat that deals the first one's folds in another order leaves every limit."""

    def repeated(table):
        once = table[table["repeat"] == 0]
        return pd.concat([once, once.assign(repeat=1, fold=(once["fold"] + 1) % FOLDS)])

    once = predictions[predictions["repeat"] == 0], probes[probes["repeat"] == 0]
    again = repeated(predictions), repeated(probes)
    shares = [{0.5: of(table, method="m0")} for table, _ in (once, again)]
    single, double = (
        worse(cohort, *tables, share) for tables, share in zip((once, again), shares, strict=True)
    )
    pd.testing.assert_frame_equal(single, double)
    pd.testing.assert_frame_equal(added(cohort, *once), added(cohort, *again))


def test_what_a_lacking_modality_costs_is_told_without_shares_and_controls(
    cohort, predictions, probes
):
    """The same rows to the last digit, so that a final model needs not wait for the others."""
    whole = worse(cohort, predictions, probes)
    splits = splits_of(predictions)
    alone = dropped_table(cohort, predictions, probes, splits, FOLLOWED)
    expected = whole[whole["kind"] == "dropped"].reset_index(drop=True)
    assert len(alone)
    pd.testing.assert_frame_equal(alone, expected)
    none = empty_probes(cohort.classes)
    assert dropped_table(cohort, predictions, none, splits, FOLLOWED).empty
