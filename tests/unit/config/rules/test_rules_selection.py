"""Which methods run, by which kind of job."""

import pytest

from balmi.config.rules.selection import Selection
from balmi.config.settings import Method, Settings


def selected(*methods, probed=(), **sections):
    return Selection.of(Settings(methods=methods, robustness={"methods": probed}, **sections))


def test_every_method_runs_by_one_kind_of_job():
    every = selected(*Method, probed=[*Method][::2])
    assert sorted(every.methods) == sorted([*every.networks, *every.pools, *every.peers])
    kinds = (every.probed_networks, every.probed_pools, every.probed_peers)
    assert sorted(every.probed) == sorted(name for kind in kinds for name in kind)
    assert sorted(every.peers) == sorted([*every.probed_peers, *every.unprobed_peers])
    assert every.networks == ("balanced", "uniform", "concat-mlp", "ensemble")
    assert every.pools == ("nnls-stack", "unimodal-pooled", "pooled")


def test_what_absence_tells_always_runs_and_once():
    assert selected("uniform").methods == ("uniform", "absence-lr")
    assert selected("absence-lr", "uniform").methods == ("absence-lr", "uniform")
    assert selected("uniform").unprobed_peers == ("absence-lr",)


def test_only_what_runs_is_probed():
    found = selected("stacked-lr", "pooled", probed=["pooled", "balanced"])
    assert found.probed == found.probed_pools == ("pooled",)
    assert found.probed_networks == found.probed_peers == ()
    assert found.unprobed_peers == ("stacked-lr", "absence-lr")


@pytest.mark.parametrize(
    ("methods", "pretraining", "pretrained"),
    [(["balanced"], True, True), (["balanced"], False, False), (["uniform"], True, False)],
)
def test_what_starts_from_pretraining(methods, pretraining, pretrained):
    found = selected(*methods, distillation={"pretraining": pretraining})
    assert found.pretrained is pretrained


def test_shares_and_controls_are_those_of_the_settings():
    robustness = {"shares": [0.5, 0.1, 0.50], "controls": False}
    found = Selection.of(Settings(robustness=robustness))
    assert found.shares == ("0.5", "0.1")
    assert found.controls == ()
    assert Selection.of(Settings()).controls == ("labels", "leak")


def test_the_names_are_plain_texts():
    found = Selection.of(Settings())
    for names in (found.methods, found.networks, found.pools, found.probed):
        assert {type(name) for name in names} == {str}
