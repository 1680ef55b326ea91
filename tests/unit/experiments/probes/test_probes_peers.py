"""A probed peer: fold by fold, and whatever happens to the probes, its predictions are whole."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from balmi.config.methods import SHARING
from balmi.config.settings import Evaluation, Method, Robustness
from balmi.data.splits import as_splits, make_splits
from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.experiments.probes import peers
from balmi.experiments.probes.peers import fit_and_probe
from balmi.methods.peers.run import fit_baseline, fit_in_fold
from balmi.preprocess.features import Features


@pytest.fixture
def parts(make_cohort):
    cohort = make_cohort(np.tile([0, 1, 2], 20))
    splits = as_splits(make_splits(cohort, Evaluation(repeats=1, folds=3)), cohort)
    return SimpleNamespace(cohort=cohort, features=Features(cohort, 4), splits=splits)


def run(parts, methods=None):
    methods = methods or {Method.STACKED_LR: True}
    return fit_and_probe(methods, parts.cohort, parts.features, parts.splits, Robustness())


def run_one(parts):
    (job,) = run(parts).values()
    return job.fitting, job.probing


def test_predictions_are_those_of_the_peer_that_is_not_probed(parts):
    fitting, probing = run_one(parts)
    expected = fit_baseline(Method.STACKED_LR, parts.cohort, parts.features, parts.splits)
    pd.testing.assert_frame_equal(fitting.table, expected.predictions)
    assert (fitting.status.status, probing.status.status) == ("ok", "ok")
    assert probing.table.groupby(["repeat", "fold"]).ngroups == 3


def test_probes_that_fail_leave_predictions_whole(parts, monkeypatch):
    asked = []

    def failing(method, cohort, features, splits, *_):
        asked.append(splits[0].fold)
        raise MethodFailed("no number")

    monkeypatch.setattr(peers, "probe_table", failing)
    fitting, probing = run_one(parts)
    assert fitting.table.groupby(["repeat", "fold"]).ngroups == 3
    assert (probing.status.status, probing.status.reason) == ("failed", "no number")
    assert probing.table.empty
    assert asked == [0]


def test_a_fold_that_cannot_be_fitted_ends_it_all(parts, monkeypatch):
    def refusing(method, fold, *others):
        if fold.split.fold == 1:
            raise MethodNotApplicable("too few")
        return fit_in_fold(method, fold, *others)

    monkeypatch.setattr(peers, "fit_in_fold", refusing)
    fitting, probing = run_one(parts)
    assert (fitting.status.status, fitting.status.reason) == ("not_applicable", "too few")
    assert fitting.table.empty
    assert len(fitting.ends) == 2
    assert len(probing.ends) == 1
    assert fitting.status.seconds >= fitting.ends[0].seconds


def test_peers_that_share_experts_say_what_they_say_alone(parts, monkeypatch):
    grown = []
    forest = RandomForestClassifier.fit

    def counted(self, values, labels):
        grown.append(values.shape[1])
        return forest(self, values, labels)

    monkeypatch.setattr(RandomForestClassifier, "fit", counted)
    jobs = run(parts, dict.fromkeys(SHARING, False))
    together = len(grown)
    for method, job in jobs.items():
        alone = fit_baseline(method, parts.cohort, parts.features, parts.splits).predictions
        pd.testing.assert_frame_equal(job.fitting.table, alone)
        assert job.probing is None
    # Of two modalities nnls-stack and unimodal-pooled grow two forests each alone, pooled three.
    assert (together, len(grown) - together) == (3 * 3, 3 * (2 + 2 + 3))


def test_one_that_fails_leaves_the_others_whole(parts, monkeypatch):
    def refusing(method, fold, *others):
        if method is Method.UNIMODAL_POOLED:
            raise MethodNotApplicable("too few")
        return fit_in_fold(method, fold, *others)

    monkeypatch.setattr(peers, "fit_in_fold", refusing)
    ends = {name: job.fitting.status.status for name, job in run(parts, PAIR).items()}
    assert ends == {Method.UNIMODAL_POOLED: "not_applicable", Method.NNLS_STACK: "ok"}


PAIR = {Method.UNIMODAL_POOLED: False, Method.NNLS_STACK: False}
