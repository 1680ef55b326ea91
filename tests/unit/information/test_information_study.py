"""The canonical order: names of samples, modalities and features decide it, not positions."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from balmi.config.settings import Information
from balmi.data.measurements import Measurements
from balmi.information.estimates import NotApplicable
from balmi.information.known import Knowledge, know
from balmi.information.members import CHEAP_MEMBERS
from balmi.information.study import canonical, class_codes, repeats_of, study_of
from balmi.preprocess.features import Features


def test_class_codes_by_hand():
    """The commonest class is 0; of classes of equal size the one that comes first."""
    assert class_codes(np.array([2, 0, 0, 1, 0, 2, 1])).tolist() == [1, 0, 0, 2, 0, 1, 2]
    assert class_codes(np.array([7, 7, 3])).tolist() == [0, 0, 1]


@pytest.mark.parametrize("codes", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_class_codes_do_not_depend_on_names(codes):
    labels = np.random.default_rng(0).integers(3, size=40)
    assert np.array_equal(class_codes(labels), class_codes(np.array(codes)[labels]))


def test_canonical_order_moves_everything_together(make_cohort):
    made = make_cohort(np.array([0, 1, 1, 0, 1]), {"rna": 3, "dna": 2})
    cohort = replace(made, samples=np.array(["c", "a", "e", "b", "d"]))
    cohort.features["rna"] = ("z", "x", "y")
    ordered, features = canonical(cohort, Features(cohort, 7))
    assert ordered.modalities == ("dna", "rna")
    assert ordered.samples.tolist() == [*"abcde"]
    assert ordered.labels.tolist() == [1, 0, 0, 1, 1]
    assert ordered.features["rna"] == ("x", "y", "z")
    expected = cohort.tables["rna"][[1, 3, 0, 4, 2]][:, [1, 2, 0]]
    np.testing.assert_array_equal(ordered.tables["rna"], expected)
    assert features.max_features == 7
    assert features.modalities == ordered.modalities


def test_components_are_made_of_peaks_in_canonical_order(make_cohort):
    made = make_cohort(np.arange(40) % 2, {"rna": 3, "atac": 8})
    counts = np.random.default_rng(0).poisson(1, (40, 8)).astype(float)
    peaks = Measurements(np.arange(40), csr_array(counts))
    kinds = {**made.kinds, "atac": "atac"}
    cohort = replace(made, values={**made.values, "atac": peaks}, kinds=kinds)
    order = np.random.default_rng(1).permutation(8)
    names = tuple(np.array(cohort.features["atac"])[order])
    other = replace(
        cohort,
        values={**cohort.values, "atac": peaks.columns(order)},
        features={**cohort.features, "atac": names},
    )
    fresh = Features(cohort, 7)
    fresh.fit(np.arange(9))  # what was learned before makes no difference
    found = [canonical(one, each) for one, each in ((cohort, fresh), (other, Features(other, 7)))]
    scores = [features.split(np.arange(30))["atac"] for _, features in found]
    assert scores[0].shape[1] > 3
    np.testing.assert_array_equal(*scores)
    assert found[0][0].kinds["atac"] == "atac"


class TestHaving:
    def study(self, cohort):
        rows = np.arange(len(cohort.samples))
        return study_of(cohort, Features(cohort, 10), rows, Information(), 19)

    def test_samples_that_have_all(self, cohort_of):
        rng = np.random.default_rng(0)
        values = {name: rng.normal(size=(90, 2)) for name in "ab"}
        values["a"][:20] = np.nan
        values["b"][50:] = np.nan
        study = self.study(cohort_of(values, np.arange(90) % 2))
        assert study.having(("a",)).tolist() == list(range(20, 90))
        assert study.having(("a", "b")).tolist() == list(range(20, 50))
        with pytest.raises(NotApplicable, match="30 samples have them all; at least 31") as caught:
            study.having(("a", "b"), 31)
        assert caught.value.n == 30

    def test_randomness_goes_by_name(self, cohort_of):
        study = self.study(cohort_of({"a": np.eye(40)}, np.arange(40) % 2))
        draws = [study.random(*names).random() for names in (("a",), ("a",), ("b",), ("a", "b"))]
        assert draws[0] == draws[1]
        assert len(set(draws)) == 3


class TestDeals:
    @pytest.mark.parametrize(
        ("samples", "deals"), [(30, 5), (100, 5), (101, 5), (150, 4), (500, 1), (9, 5)]
    )
    def test_few_samples_are_dealt_several_times(self, samples, deals):
        assert repeats_of(samples) == deals

    def test_folds_of_the_evaluation_come_first(self, cohort_of):
        """Two repeats of the evaluation, in three folds: the other deals are dealt in as many."""
        labels = np.arange(60) % 2
        cohort = cohort_of({"a": np.random.default_rng(0).normal(size=(60, 4))}, labels)
        folds = [np.random.default_rng(seed).permutation(np.arange(60) % 3) for seed in (1, 2)]
        rows = np.arange(10, 60)
        given = cohort, Features(cohort, 10), rows, Information(), 19
        study = study_of(*given, repeated=True, folds=folds)
        assert len(study.deals) == 5
        for deal, fold in zip(study.deals, folds, strict=False):
            assert np.array_equal(deal.fold, fold[rows])
            assert np.array_equal(deal.within, fold[rows])
        anew = study_of(*given[:3], Information(folds=3), 19, repeated=True)
        for deal, other in zip(study.deals[2:], anew.deals[2:], strict=True):
            assert np.array_equal(deal.fold, other.fold)
        assert np.array_equal(study_of(*given, folds=folds).fold, folds[0][rows])

    @pytest.mark.parametrize("count", [2, 20])
    def test_folds_that_do_not_serve_are_dealt_anew(self, cohort_of, count):
        """With two there is no learning curve, and of 20 each has 3 samples to permute."""
        cohort = cohort_of({"a": np.zeros((60, 2))}, np.arange(60) % 2)
        given = cohort, Features(cohort, 10), np.arange(60), Information(), 19
        study = study_of(*given, folds=[np.arange(60) // 2 % count])
        assert np.array_equal(study.fold, study_of(*given).fold)

    def test_folds_of_few_groups_are_dealt_blind_all_the_same(self, cohort_of):
        """Within folds of two patients nothing could be permuted."""
        labels, groups = np.arange(60) % 2, np.arange(60) // 10
        cohort = cohort_of({"a": np.zeros((60, 2))}, labels, groups)
        given = cohort, Features(cohort, 10), np.arange(60), Information(), 19
        study = study_of(*given, folds=[groups // 2])
        assert study.deals[0].within is None
        assert np.array_equal(study.fold, study_of(*given).fold)

    def test_an_estimate_is_the_mean_over_deals(self, cohort_of):
        rng = np.random.default_rng(0)
        labels = np.arange(60) % 3
        cohort = cohort_of({"a": rng.normal(size=(60, 4)) + np.eye(4)[labels]}, labels)
        features, rows = Features(cohort, 10), np.arange(60)
        study = study_of(cohort, features, rows, Information(), 19, repeated=True)
        once = study_of(cohort, features, rows, Information(), 19)
        assert (len(study.deals), len(study.halves)) == (5, 3)
        assert np.array_equal(study.fold, once.fold)
        known = know(study, ("a",), CHEAP_MEMBERS)
        alone = [
            know(replace(study, deals=(deal,), halves=study.halves[:1]), ("a",), CHEAP_MEMBERS)
            for deal in study.deals
        ]
        mean = np.mean([each.pointwise for each in alone], axis=0)
        assert known.pointwise == pytest.approx(mean)
        assert known.estimate.value == pytest.approx(mean.mean())
        assert len({round(each.estimate.value, 6) for each in alone}) == 5
        np.testing.assert_array_equal(known.posteriors, alone[0].posteriors)
        assert known.estimate.null.p_value == alone[0].estimate.null.p_value

    @pytest.mark.parametrize(("lacking", "judged"), [(0, 1), (9, 1), (10, 5)])
    def test_many_complete_samples_are_judged_on_one_inner_fold(
        self, cohort_of, monkeypatch, lacking, judged
    ):
        monkeypatch.setattr("balmi.information.study.JUDGED_ONCE", 50)
        monkeypatch.setattr("balmi.information.deals.FEWEST_JUDGED", 1)
        rng = np.random.default_rng(0)
        labels = np.arange(60) % 3
        values = {name: rng.normal(size=(60, 4)) + np.eye(4)[labels] for name in "ab"}
        values["b"][:lacking] = np.nan
        cohort = cohort_of(values, labels)
        study = study_of(cohort, Features(cohort, 10), np.arange(60), Information(), 19)
        for deal in (*study.deals, *study.halves):
            for inner in deal.inner.values():
                assert len(np.unique(inner[inner >= 0])) == judged
        knowledge = Knowledge(study, [("a",), ("b",), ("a", "b")], CHEAP_MEMBERS)
        values = [knowledge[each].estimate.value for each in knowledge.coalitions]
        assert np.isfinite(values).all()
        assert values[2] >= max(values[:1] + values[1:2]) - 0.05
        assert values[2] > 0.2
