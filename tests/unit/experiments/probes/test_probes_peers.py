"""A probed peer: fold by fold, and whatever happens to the probes, its predictions are whole."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from balmi.config.settings import Evaluation, Method, Robustness
from balmi.data.splits import as_splits, make_splits
from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.experiments.probes import peers
from balmi.experiments.probes.peers import fit_and_probe
from balmi.methods.peers.run import fit_baseline
from balmi.preprocess.features import Features


@pytest.fixture
def parts(make_cohort):
    cohort = make_cohort(np.tile([0, 1, 2], 20))
    splits = as_splits(make_splits(cohort, Evaluation(repeats=1, folds=3)), cohort)
    return SimpleNamespace(cohort=cohort, features=Features(cohort, 4), splits=splits)


def run(parts):
    return fit_and_probe(
        Method.STACKED_LR, parts.cohort, parts.features, parts.splits, Robustness()
    )


def test_predictions_are_those_of_the_peer_that_is_not_probed(parts):
    fitting, probing = run(parts)
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
    fitting, probing = run(parts)
    assert fitting.table.groupby(["repeat", "fold"]).ngroups == 3
    assert (probing.status.status, probing.status.reason) == ("failed", "no number")
    assert probing.table.empty
    assert asked == [0]


def test_a_fold_that_cannot_be_fitted_ends_it_all(parts, monkeypatch):
    fitted = fit_baseline

    def refusing(method, cohort, features, splits, *others):
        if splits[0].fold == 1:
            raise MethodNotApplicable("too few")
        return fitted(method, cohort, features, splits, *others)

    monkeypatch.setattr(peers, "fit_baseline", refusing)
    fitting, probing = run(parts)
    assert (fitting.status.status, fitting.status.reason) == ("not_applicable", "too few")
    assert fitting.table.empty
    assert len(fitting.ends) == 2
    assert len(probing.ends) == 1
    assert fitting.status.seconds >= fitting.ends[0].seconds
