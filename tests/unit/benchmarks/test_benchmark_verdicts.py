"""The benchmark of the verdict: its kinds, its counting, and how it continues."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from evaluated import evaluated

import verdicts
from balmi.config.settings import Method
from balmi.evaluation.verdicts import Verdict
from verdicts import (
    COMPARED,
    KINDS,
    TOLD,
    Results,
    Share,
    Truth,
    cells_of,
    markdown,
    requirements,
    run,
    share_of,
    study,
)

STRUCTURED = [kind for kind, about in KINDS.items() if about.truth is Truth.STRUCTURED]


def rows(kind, *limits, comparison="pooled − unimodal-pooled", code="now"):
    """Return one row per cohort, with the limits given."""
    table = [
        (kind, seed, comparison, "all", (lower + upper) / 2, lower, upper, 1.0, code)
        for seed, (lower, upper) in enumerate(limits)
    ]
    return pd.DataFrame(table, columns=COMPARED)


def told(kind, *said, code="now"):
    """Return one headline per cohort."""
    table = [
        (kind, seed, each, "a case", "all", 10, "A sentence.", 1.0, code)
        for seed, each in enumerate(said)
    ]
    return pd.DataFrame(table, columns=TOLD)


def measured(*kinds):
    """Return results with so many cohorts of a kind that are told as gains, of so many."""
    says = {kind: [True] * gains + [False] * (of - gains) for kind, gains, of in kinds}
    limits = {True: GAIN, False: NONE}
    return Results(
        pd.concat([rows(kind, *map(limits.get, each)) for kind, each in says.items()]),
        pd.concat([told(kind, *each) for kind, each in says.items()]),
    )


def met(results, start):
    """Return whether the requirement whose words start so is met."""
    (found,) = [each.met for each in requirements(results) if each.what.startswith(start)]
    return found


GAIN, NONE, LOSS = (0.01, 0.03), (-0.02, 0.02), (-0.03, -0.01)


class TestKinds:
    def test_a_copy_is_a_copy(self):
        design = verdicts.duplicated(60, 1, 7)
        (alone,) = design.others
        assert alone.cohort.modalities == ("first",)
        assert {run.method for run in design.runs} == set(verdicts.METHODS)
        for run_ in design.runs:
            np.testing.assert_array_equal(run_.cohort.tables["copy"], alone.cohort.tables["first"])

    def test_labels_are_permuted_and_nothing_else(self):
        design = verdicts.shuffled(60, 1, 7)
        cohort, whole = design.runs[0].cohort, verdicts.simulated(60, 7)
        np.testing.assert_array_equal(cohort.tables["first"], whole.tables["first"])
        np.testing.assert_array_equal(np.sort(cohort.labels), np.sort(whole.labels))
        assert not np.array_equal(cohort.labels, whole.labels)

    def test_only_the_seed_differs(self):
        design = verdicts.reseeded(60, 1, 7)
        (one,), (other,) = design.runs, design.others
        assert one.cohort is other.cohort
        assert (one.method, one.splits) == (other.method, other.splits)
        assert one.seed != other.seed

    def test_the_true_gain_is_measured_on_many_samples(self, monkeypatch, tmp_path):
        monkeypatch.setattr(verdicts, "TESTING", 90)
        design = verdicts.true_gain(60, 1, 7)
        assert [run_.method for run_ in design.runs] == [Method.POOLED, Method.UNIMODAL_POOLED]
        assert [(len(each.fit), len(each.test)) for each in design.runs[0].splits] == [(60, 90)]

    @pytest.mark.parametrize("kind", STRUCTURED)
    def test_a_structured_kind_is_told_and_has_a_hundred_cohorts(self, kind):
        about = KINDS[kind]
        assert about.told
        assert about.sets >= 100
        design = about.design(about.samples, 1, 3)
        lacking = not design.runs[0].cohort.available.all()
        mask = [Method.ABSENCE_LR] if lacking else []
        assert [run_.method for run_ in design.runs] == [*verdicts.METHODS, *mask]


def uniform(run_, folder):
    """Stand for a training: every method knows the class frequencies alone, but one errs."""
    tables = []
    for split in run_.splits:
        labels = run_.cohort.labels[split.test]
        right = run_.method == Method.POOLED and run_.name is None
        codes = labels if right else (labels + 1) % 3
        values = pd.DataFrame(np.eye(3)[codes], columns=[f"p:{c}" for c in run_.cohort.classes])
        head = {"method": run_.name or str(run_.method), "repeat": split.repeat, "fold": split.fold}
        tables.append(values.assign(sample=run_.cohort.samples[split.test], **head))
    return pd.concat(tables, ignore_index=True), 1.5


class TestStudy:
    """`pooled` is always right here and all other methods always wrong."""

    @pytest.fixture(autouse=True)
    def _light(self, monkeypatch):
        monkeypatch.setattr(verdicts, "kept", uniform)
        small = {kind: replace(about, samples=60, repeats=2) for kind, about in KINDS.items()}
        monkeypatch.setattr(verdicts, "KINDS", small)

    def test_a_gain_over_one_modality_is_counted_and_told(self, tmp_path):
        compared, said = study("planted gain", 5, tmp_path, "now")
        table = compared.set_index(["comparison", "samples"]).sort_index()
        row = table.loc[("pooled − unimodal-pooled", "all")]
        assert (row["difference"], row["lower"], row["upper"]) == (1.0, 1.0, 1.0)
        assert said["gain"].tolist() == [True]
        assert "ombining helps" in said["headline"].item()
        assert set(compared["seconds"]) == {6.0}

    def test_a_comparison_with_another_run_is_no_headline(self, tmp_path):
        compared, said = study("another seed", 5, tmp_path, "now")
        assert said.empty
        assert set(compared["comparison"]) == {"balanced − balanced, another seed"}

    def test_the_size_of_a_gain_has_no_interval(self, tmp_path, monkeypatch):
        monkeypatch.setattr(verdicts, "TESTING", 90)
        compared, _ = study("true gain", 5, tmp_path, "now")
        assert compared["difference"].tolist() == [1.0]
        assert compared["lower"].isna().all()

    def test_where_no_sample_has_two_modalities_no_gain_is_told(self, tmp_path):
        _, said = study("disjoint modalities", 3, tmp_path, "now")
        assert said["gain"].tolist() == [False]
        assert said["case"].tolist() == ["not_shared"]


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


class TestRequirements:
    @pytest.mark.parametrize(
        ("gains", "of", "reached"),
        [(0, 100, True), (3, 100, True), (4, 100, False), (9, 200, True), (10, 200, False)],
    )
    def test_every_structured_kind_by_itself(self, gains, of, reached):
        """Of 100 cohorts 4 have an upper limit of 9.9 %; of 200, 10 have one of 9.04 %."""
        one, other = STRUCTURED[:2]
        results = measured((one, gains, of), (other, 0, 100))
        assert met(results, f"{one}: headline") is reached
        assert met(results, f"{other}: headline") is True

    def test_a_kind_without_cohorts_is_not_reached(self):
        assert not met(measured((STRUCTURED[0], 0, 100)), f"{STRUCTURED[1]}: headline")

    def test_plain_cohorts_together(self):
        results = measured(("labels shuffled", 5, 100), ("duplicated modality", 0, 40))
        (found,) = [each for each in requirements(results) if each.what.startswith("plain cohorts")]
        assert found.measured.startswith("5 of 140")
        assert found.met

    def test_a_supported_interval_counts_though_no_headline_says_so(self):
        kind = "another seed"
        results = measured((kind, 8, 100))
        assert not met(results, "the same")
        assert met(measured((kind, 3, 100)), "the same")

    @pytest.mark.parametrize(("told_", "reached"), [(54, True), (53, False)])
    def test_planted_gains_have_to_be_told(self, told_, reached):
        results = measured(("planted gain", told_, 60))
        assert met(results, "planted gain: headline") is reached

    @pytest.mark.parametrize(("lost", "reached"), [(1, True), (2, False)])
    def test_supported_gains_may_hardly_be_lost(self, lost, reached):
        results = measured(("planted gain", 60, 60))
        said = results.told.assign(gain=[False] * lost + [True] * (60 - lost))
        assert met(Results(results.compared, said), "planted gain: interval") is reached


def test_a_headline_rests_on_the_tables_of_the_workflow():
    """Where a sample lacks a modality and folds repeat, what is left out changes nothing."""
    about = KINDS["disjoint modalities"]
    design = about.design(60, 2, 4)
    found = pd.concat([uniform(run_, None)[0] for run_ in design.runs], ignore_index=True)
    cohort = design.runs[0].cohort
    lean, whole = verdicts.tables_of(found, cohort), evaluated(found, cohort)
    for name, table in lean.items():
        rows_ = whole[name]
        asked = rows_["metric"].isin(verdicts.DECISIVE)
        if name == "summary":
            asked &= rows_["class"].isna()
        wanted = rows_[asked].reset_index(drop=True)
        pd.testing.assert_frame_equal(
            table.sort_values(list(table.columns[:4])).reset_index(drop=True),
            wanted.sort_values(list(table.columns[:4])).reset_index(drop=True),
            check_dtype=False,
        )


def test_all_kinds_grow_alike():
    cells = cells_of(100)
    assert len(set(cells)) == len(cells) == sum(about.sets for about in KINDS.values())
    assert [kind for kind, _ in cells[: len(KINDS)]] == list(KINDS)
    assert cells_of(5, 1) == [(kind, 5) for kind in KINDS]
    assert cells_of(5, 2, ["rare class"]) == [("rare class", 5), ("rare class", 6)]


class TestRun:
    @pytest.fixture(autouse=True)
    def _counted(self, monkeypatch):
        self.ran = []

        def study(kind, seed, folder, code):
            self.ran.append((kind, seed))
            found = rows(kind, NONE, code=code), told(kind, False, code=code)
            return tuple(table.assign(seed=seed) for table in found)

        monkeypatch.setattr(verdicts, "study", study)

    def test_an_interrupted_run_continues(self, tmp_path):
        cells = cells_of(0, 1)
        run(cells[:2], 1, tmp_path, tmp_path, "now")
        assert set(pd.read_csv(tmp_path / "headlines.csv")["kind"]) == {
            kind for kind, _ in cells[:2]
        }
        results = run(cells, 1, tmp_path, tmp_path, "now")
        assert self.ran == cells
        assert len(results.compared) == len(pd.read_csv(tmp_path / "verdicts.csv")) == len(cells)
        assert len(results.told) == len(cells)

    def test_other_code_starts_again(self, tmp_path):
        cells = cells_of(0, 1)[:2]
        run(cells, 1, tmp_path, tmp_path, "before")
        run(cells, 1, tmp_path, tmp_path, "now")
        assert self.ran == cells * 2
        for name in ("verdicts.csv", "headlines.csv"):
            assert set(pd.read_csv(tmp_path / name)["code"]) == {"now"}

    def test_only_the_cohorts_asked_for_are_returned(self, tmp_path):
        cells = cells_of(0, 2)[:4]
        results = run(cells, 1, tmp_path, tmp_path, "now").of(cells[:1])
        assert set(zip(results.told["kind"], results.told["seed"], strict=True)) == {cells[0]}


def test_the_summary_says_what_was_reached():
    true = rows("true gain", GAIN, GAIN).assign(lower=np.nan, upper=np.nan, difference=[0.04, 0.06])
    found = measured(("planted gain", 2, 2), ("rare class", 1, 2))
    text = markdown(Results(pd.concat([found.compared, true], ignore_index=True), found.told))
    assert "| rare class: headline says gain | <= 5%, upper limit <= 9% | 1 of 2: 50.0%" in text
    assert "| planted gain: headline says gain | >= 90% | 2 of 2: 100.0%" in text
    assert "0.0500 (" in text
    assert "| rare class | pooled − unimodal-pooled | all |" in text
    assert "| rare class | a case | all | 2 | A sentence. |" in text
