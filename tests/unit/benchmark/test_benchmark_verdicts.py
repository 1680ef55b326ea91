"""The benchmark of the verdict: its cohorts, its counting, and how it continues."""

import numpy as np
import pandas as pd
import pytest

import verdicts
from balmi.config.settings import Method
from balmi.evaluation.verdicts import Verdict
from verdicts import (
    COLUMNS,
    KINDS,
    Share,
    cells_of,
    compared,
    markdown,
    requirements,
    run,
    scores,
    share_of,
    simulated,
    splits_of,
)


def rows(kind, *limits, comparison="a − b", code="now"):
    """Return one row per cohort, with the limits given."""
    table = [
        (kind, comparison, seed, (lower + upper) / 2, lower, upper, 1.0, code)
        for seed, (lower, upper) in enumerate(limits)
    ]
    return pd.DataFrame(table, columns=COLUMNS)


GAIN, NONE, LOSS = (0.01, 0.03), (-0.02, 0.02), (-0.03, -0.01)


class TestCohorts:
    def test_classes_have_their_shares(self):
        cohort = simulated(200, 1)
        assert np.bincount(cohort.labels).tolist() == [100, 60, 40]
        assert cohort.modalities == ("first", "second")

    def test_the_nearest_corner_tells_the_class_as_often_as_planted(self):
        """Corners are sqrt(3) separations apart: with 4 each side errs by under .001."""
        cohort = simulated(4000, 2, {"first": 8.0})
        values = cohort.values["first"]
        means = np.stack([values[cohort.labels == code].mean(axis=0) for code in range(3)])
        nearest = ((values[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
        assert (nearest == cohort.labels).mean() > 0.99

    def test_without_separation_nothing_is_planted(self):
        cohort = simulated(4000, 3, {"first": 0.0})
        values = cohort.values["first"]
        gap = values[cohort.labels == 0].mean(axis=0) - values[cohort.labels == 1].mean(axis=0)
        error = values.std(axis=0) * np.sqrt(1 / 2000 + 1 / 1200)
        assert np.abs(gap / error).max() < 4

    def test_cohorts_differ_by_seed_alone(self):
        one, same, other = (simulated(50, seed).values["first"] for seed in (5, 5, 6))
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other)


def test_every_fold_is_scored_and_compared():
    """A method that is always right scores 1, and one that is always wrong 0."""
    cohort = simulated(60, 4)
    tables = []
    for split in splits_of(cohort, 4, repeats=2):
        for name, shift in (("right", 0), ("wrong", 1)):
            codes = (cohort.labels[split.test] + shift) % 3
            table = pd.DataFrame(np.eye(3)[codes], columns=[f"p:{c}" for c in cohort.classes])
            head = {"method": name, "repeat": split.repeat, "fold": split.fold}
            tables.append(table.assign(sample=cohort.samples[split.test], **head))
    found = pd.concat(tables, ignore_index=True)
    assert scores(found, cohort, "right").tolist() == [1.0] * 10
    row = compared(found, cohort, "right", "wrong")
    assert (row["difference"], row["lower"], row["upper"]) == (1.0, 1.0, 1.0)
    assert row["comparison"] == "right − wrong"


class TestKinds:
    @pytest.fixture(autouse=True)
    def _light(self, monkeypatch):
        """Let every method predict from the values, without training: what is asked is recorded."""
        self.asked = []

        def predicted(methods, cohort, splits, seed):
            self.asked.append((tuple(methods), cohort, seed))
            tables = []
            for method in methods:
                for split in splits:
                    uniform = np.full((len(split.test), 3), 1 / 3)
                    columns = [f"p:{name}" for name in cohort.classes]
                    head = {"method": str(method), "repeat": split.repeat, "fold": split.fold}
                    table = pd.DataFrame(uniform, columns=columns)
                    tables.append(table.assign(sample=cohort.samples[split.test], **head))
            return pd.concat(tables, ignore_index=True)

        monkeypatch.setattr(verdicts, "predicted", predicted)

    def test_a_copy_is_a_copy(self):
        verdicts.duplicated(60, 1, 7)
        (_, twice, _), (_, alone, _) = self.asked
        assert alone.modalities == ("first",)
        np.testing.assert_array_equal(twice.values["copy"], alone.values["first"])

    def test_labels_are_permuted_and_nothing_else(self):
        found = verdicts.shuffled(60, 1, 7)
        cohort, whole = self.asked[0][1], simulated(60, 7)
        np.testing.assert_array_equal(cohort.values["first"], whole.values["first"])
        np.testing.assert_array_equal(np.sort(cohort.labels), np.sort(whole.labels))
        assert not np.array_equal(cohort.labels, whole.labels)
        assert [row["comparison"] for row in found] == [
            "balanced − stacked-lr",
            "balanced − unimodal-lr",
        ]

    def test_only_the_seed_differs(self):
        verdicts.reseeded(60, 1, 7)
        (_, one, seed), (_, other, another) = self.asked
        assert one is other
        assert seed != another

    def test_the_true_gain_is_measured_on_many_samples(self, monkeypatch):
        monkeypatch.setattr(verdicts, "TESTING", 90)
        (row,) = verdicts.true_gain(60, 1, 7)
        ((methods, cohort, _),) = self.asked
        assert methods == (Method.BALANCED, Method.UNIMODAL_LR)
        assert len(cohort.samples) == 150
        assert (row["difference"], np.isnan(row["lower"])) == (0.0, True)


class TestCounting:
    def test_by_hand(self):
        # Clopper and Pearson of none of 10: 1 - (.025)^(1/10).
        share = Share(0, 10)
        assert share.limits == pytest.approx((0.0, 1 - 0.025**0.1))
        assert str(Share(5, 10)) == "5 of 10: 50.0% (18.7% to 81.3%)"
        assert np.isnan(Share(0, 0).value)

    def test_a_cohort_counts_once(self):
        both = [rows("labels shuffled", GAIN, NONE, comparison=name) for name in ("a − b", "a − c")]
        found = share_of(verdicts.named(pd.concat(both)), Verdict.GAIN)
        assert (found.count, found.of) == (1, 2)

    def test_seeds_of_different_kinds_are_different_cohorts(self):
        both = pd.concat([rows("labels shuffled", GAIN), rows("another seed", NONE)])
        assert share_of(verdicts.named(both), Verdict.GAIN) == Share(1, 2)

    @pytest.mark.parametrize(
        ("false", "found", "met"),
        [(0, 90, [True, True, True]), (5, 79, [True, False, False]), (6, 80, [False, False, True])],
    )
    def test_requirements(self, false, found, met):
        null = rows("another seed", *[GAIN] * false, *[NONE] * (100 - false))
        planted = rows("planted gain", *[GAIN] * found, *[LOSS] * (100 - found))
        assert [row[-1] for row in requirements(pd.concat([null, planted]))] == met

    def test_a_planted_gain_is_no_false_one(self):
        table = pd.concat([rows("planted gain", GAIN), rows("another seed", NONE)])
        assert requirements(table)[0][2].startswith("0 of 1")


def test_all_kinds_grow_alike():
    cells = cells_of(100)
    assert len(set(cells)) == len(cells) == sum(about.sets for about in KINDS.values())
    assert [kind for kind, _ in cells[: len(KINDS)]] == list(KINDS)
    assert sum(about.sets for about in KINDS.values() if about.null) >= 200
    assert cells_of(5, 1) == [(kind, 5) for kind in KINDS]


class TestRun:
    @pytest.fixture(autouse=True)
    def _counted(self, monkeypatch):
        self.ran = []

        def study(kind, seed, code):
            self.ran.append((kind, seed))
            return rows(kind, NONE, code=code).assign(seed=seed)

        monkeypatch.setattr(verdicts, "study", study)

    def test_an_interrupted_run_continues(self, tmp_path):
        path, cells = tmp_path / "verdicts.csv", cells_of(0, 1)
        run(cells[:2], 1, path, "now")
        assert set(pd.read_csv(path)["kind"]) == {kind for kind, _ in cells[:2]}
        table = run(cells, 1, path, "now")
        assert self.ran == cells
        assert len(table) == len(pd.read_csv(path)) == len(cells)

    def test_other_code_starts_again(self, tmp_path):
        path, cells = tmp_path / "verdicts.csv", cells_of(0, 1)[:2]
        run(cells, 1, path, "before")
        run(cells, 1, path, "now")
        assert self.ran == cells * 2
        assert set(pd.read_csv(path)["code"]) == {"now"}


def test_the_summary_says_what_was_reached():
    true = rows("true gain", GAIN, GAIN).assign(lower=np.nan, upper=np.nan, difference=[0.04, 0.06])
    parts = [rows("planted gain", GAIN, GAIN), rows("another seed", GAIN, NONE), true]
    text = markdown(pd.concat(parts, ignore_index=True))
    assert "| false 'gain supported', share of cohorts | <= 0.05 | 1 of 2: 50.0%" in text
    assert "| planted gain found, share of cohorts | >= 0.8 | 2 of 2: 100.0%" in text
    assert "0.0500 (" in text
    assert "| another seed | a − b |" in text
