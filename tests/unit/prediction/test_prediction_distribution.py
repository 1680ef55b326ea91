"""Samples unlike the training samples are flagged, and few of those like them."""

import numpy as np
import pytest

from balmi.methods.peers.side import TrainingSide
from balmi.prediction.distribution import MOST_FLAGGED, _error, fit_envelope, strange
from balmi.preprocess.fitted import Samples

WIDTH, HIDDEN = 60, 5


def drawn(count, seed, width=WIDTH):
    """Return samples that vary along five hidden axes, and a little about them."""
    axes = np.random.default_rng(99).normal(size=(HIDDEN, width))
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, HIDDEN)) @ axes + 0.7 * rng.normal(size=(count, width))
    return values / np.sqrt((axes**2).sum(axis=0) + 0.49)  # every feature has variance 1


def side_of(features, lacking=(), groups=None):
    count = len(next(iter(features.values())))
    available = np.ones((count, len(features)), dtype=bool)
    for name, rows in lacking:
        available[rows, list(features).index(name)] = False
        features[name][rows] = 0
    return TrainingSide(Samples(features, available), np.arange(count) % 2, groups, 2, 0)


def flagged(envelopes, features, available=None, missing=None):
    count = len(next(iter(features.values())))
    available = np.ones((count, len(features)), bool) if available is None else available
    return strange(envelopes, features, available, missing or {})


def fitted(side):
    return {name: fit_envelope(side, name) for name in side.modalities}


@pytest.mark.parametrize("count", [60, 150, 400])
def test_few_samples_of_the_same_kind_are_flagged_and_permuted_ones_are(count):
    like, unlike = [], []
    for seed in range(8):
        side = side_of({"a": drawn(count, seed), "b": drawn(count, 50 + seed, 30)})
        envelopes = fitted(side)
        new = {"a": drawn(200, 100 + seed), "b": drawn(200, 200 + seed, 30)}
        like.append((flagged(envelopes, new)[0] <= MOST_FLAGGED).mean())
        rng = np.random.default_rng(seed)
        permuted = {name: rng.permuted(values, axis=1) for name, values in new.items()}
        unlike.append((flagged(envelopes, permuted)[0] <= MOST_FLAGGED).mean())
    assert np.mean(like) <= 0.05
    assert np.mean(unlike) >= 0.9


@pytest.mark.parametrize("width", [60, 600])
@pytest.mark.parametrize("rounded", [("trained",), ("new",), ("trained", "new")])
def test_values_that_one_side_has_rounded_flag_nobody(width, rounded):
    """To a fifth of a deviation, as two decimals are where features vary by .05."""
    shares = []
    for seed in range(4):
        drawn_ = {"trained": drawn(150, seed, width), "new": drawn(200, 100 + seed, width)}
        drawn_ |= {name: np.round(5 * drawn_[name]) / 5 for name in rounded}
        p, _ = flagged(fitted(side_of({"a": drawn_["trained"]})), {"a": drawn_["new"]})
        shares.append((p <= MOST_FLAGGED).mean())
    assert np.mean(shares) <= 0.05


def test_a_sample_that_lacks_a_modality_is_judged_by_the_others():
    side = side_of({"a": drawn(150, 0), "b": drawn(150, 1, 30)}, lacking=[("b", np.arange(60))])
    envelopes = fitted(side)
    strangers = {"a": np.vstack([drawn(1, 2), 9 * drawn(1, 3)]), "b": np.zeros((2, 30))}
    available = np.array([[True, False], [True, False]])
    p, which = flagged(envelopes, strangers, available)
    assert p[0] > 0.1
    assert p[1] < 0.02
    assert which[1] == 0


def test_missing_features_alone_flag_nobody():
    side = side_of({"a": drawn(200, 0)})
    missing = np.arange(WIDTH) % 5 == 0
    new = drawn(300, 5)
    new[:, missing] = 0
    p, _ = flagged(fitted(side), {"a": new}, missing={"a": missing})
    assert (p <= MOST_FLAGGED).mean() < 0.07


def test_where_nothing_can_be_held_out_nothing_is_said():
    side = side_of({"a": drawn(40, 0)}, groups=np.array(["one"] * 40))
    p, _ = flagged(fitted(side), {"a": drawn(3, 1)})
    assert np.isnan(p).all()


def test_what_a_sample_is_judged_by_has_not_learned_from_it():
    """A training sample far from all others does not pull the axes to itself."""
    values = drawn(100, 0)
    values[7] = 10 * np.random.default_rng(3).normal(size=WIDTH)
    envelope = fit_envelope(side_of({"a": values}), "a")
    assert envelope.strangeness.argmax() == 7
    assert envelope.strangeness[7] > 5


def test_a_modality_of_long_tails_does_not_hide_another():
    """Each modality counts in units of what its own training samples show."""
    hits = []
    for seed in range(6):
        long = drawn(80, 50 + seed, 30) * np.random.default_rng(seed).pareto(1, 80)[:, None]
        side = side_of({"a": drawn(80, seed), "b": long})
        new = {"a": np.random.default_rng(seed).permuted(drawn(50, 90 + seed), axis=1)}
        p, _ = flagged(fitted(side), new | {"b": 0 * drawn(50, 1, 30)})
        hits.append((p <= MOST_FLAGGED).mean())
    assert np.mean(hits) > 0.9


def test_missing_features_that_an_axis_is_made_of_flag_nobody():
    """Of rare events most samples have none, and all of these would be flagged at once."""
    rng = np.random.default_rng(0)
    flags = []
    for _ in range(10):
        values = (rng.random((300, 100)) < 0.06).astype(float)
        scores = (values - values[:100].mean(axis=0)) / (values[:100].std(axis=0) + 1e-9)
        missing = rng.random(100) < 0.2
        new = np.where(missing, 0, scores[100:])
        p, _ = flagged(fitted(side_of({"a": scores[:100]})), {"a": new}, missing={"a": missing})
        flags.append((p <= MOST_FLAGGED).mean())
    assert np.mean(flags) < 0.08


def test_too_few_features_for_the_axes_are_not_judged_by():
    envelopes = fitted(side_of({"a": drawn(120, 0, 12)}))
    missing = np.arange(12) < 3
    p, _ = flagged(envelopes, {"a": drawn(5, 1, 12)}, missing={"a": missing})
    assert np.isnan(p).all()


def test_what_some_features_tell_of_all_is_less_sure_the_less_even_they_are():
    even, one = np.ones((1, 80)), np.zeros((1, 80))
    one[0, 0] = 1.0
    assert _error(even, 100) == pytest.approx(0)
    # (1 - .8) sqrt(79 (1/20 + 1/80)), but at most the share that is missing
    assert _error(one, 100) == pytest.approx(0.2)
    half = np.tile([0.0, 2.0], 40)[None]  # squared coefficient of variation 1
    assert _error(half, 100) == pytest.approx(0.2 * np.sqrt(1 / 20 + 1 / 80))
