"""No method learns from test samples: not from their labels, nor from the features of other ones.

Every method runs from raw measurements to predictions, so that all that is chosen on the way
counts: kept features, similarity networks, the null gate, teachers, the best epoch, temperatures,
weights of experts, the best single modality.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from balmi.config.settings import (
    Balancing,
    Distillation,
    Evaluation,
    Expert,
    Graph,
    Information,
    Method,
    Model,
    Preprocessing,
    Settings,
    Training,
)
from balmi.data.cohort import Cohort
from balmi.data.splits import as_splits, make_splits
from balmi.information.splits import measure_splits
from balmi.methods.distillation import plan_distillation
from balmi.methods.pipeline import run_pipeline
from balmi.preprocess.features import Features

SAMPLES, CLASSES = 120, 3
MINIBATCHES = Settings(
    preprocessing=Preprocessing(max_features=6),
    information=Information(folds=3, permutations=19, fold_permutations=19),
    model=Model(hidden=4, experts=list(Expert)),
    training=Training(members=2, epochs=6, learning_rate=0.02, batch_size=32),
    distillation=Distillation(strength=1.0),
)
ON_A_GRAPH = MINIBATCHES.model_copy(
    update={
        "graph": Graph(neighbours=8, kept=6),
        "model": MINIBATCHES.model.model_copy(update={"graph_weight": 0.5}),
        "training": MINIBATCHES.training.model_copy(update={"batch_size": None}),
    }
)
TRANSDUCTIVE = ON_A_GRAPH.model_copy(
    update={"graph": Graph(neighbours=8, kept=6, transductive=True)}
)


def by_rule(rule):
    """Return settings under which `balanced` is balanced by a rule."""
    training = MINIBATCHES.training.model_copy(update={"balancing": rule})
    return MINIBATCHES.model_copy(update={"training": training})


pytestmark = pytest.mark.usefixtures("few_trees")

CASES = [
    *(pytest.param(method, MINIBATCHES, id=method) for method in Method),
    *(
        pytest.param(Method.BALANCED, by_rule(rule), id=f"balanced by {rule}")
        for rule in Balancing
        if rule is not MINIBATCHES.training.balancing
    ),
    pytest.param(Method.BALANCED, ON_A_GRAPH, id="balanced on a graph"),
    pytest.param(Method.UNIFORM, ON_A_GRAPH, id="uniform on a graph"),
]


@cache
def cohort():
    """Return two modalities that share what they know of the label, and one of noise.

    The second is noisier than the first, and a quarter of the samples lacks it.
    """
    rng = np.random.default_rng(5)
    labels = rng.permutation(np.arange(SAMPLES) % CLASSES)
    latent = np.eye(CLASSES)[labels] * 1.5 + rng.normal(size=(SAMPLES, CLASSES))
    values = {
        "clear": np.tile(latent, 3) + 0.3 * rng.normal(size=(SAMPLES, 9)),
        "faint": np.tile(latent, 3) + 1.5 * rng.normal(size=(SAMPLES, 9)),
        "noise": rng.normal(size=(SAMPLES, 7)),
    }
    values["faint"][rng.permutation(SAMPLES)[: SAMPLES // 4]] = np.nan
    return Cohort(
        samples=np.array([f"s{i:03d}" for i in range(SAMPLES)]),
        labels=labels,
        classes=("a", "b", "c"),
        groups=np.array([f"g{i // 2:02d}" for i in range(SAMPLES)]),
        values=values,
        features={
            name: tuple(f"{name}{i}" for i in range(x.shape[1])) for name, x in values.items()
        },
        kinds=dict.fromkeys(values, "generic"),
        provenance={},
    )


@cache
def splits():
    """Return one fold; permuted labels must not deal the samples out anew."""
    table = make_splits(cohort(), Evaluation(repeats=1, folds=3, seed=2))
    return as_splits(table, cohort())[:1]


@dataclass(frozen=True)
class Changed:
    """The cohort with other test samples than before.

    `same` are the test samples whose features are untouched, `others` the rest.
    """

    cohort: Cohort
    same: np.ndarray
    others: np.ndarray


@cache
def changed():
    """Permute the labels of test samples, and garble features and availability of every other."""
    before, test = cohort(), splits()[0].test
    labels = before.labels.copy()
    labels[test] = np.random.default_rng(0).permutation(labels[test])
    others = test[1::2]
    values = {name: x.copy() for name, x in before.tables.items()}
    for x in values.values():
        x[others] = 50 * np.nan_to_num(x[others]) - 7
    values["clear"][others[::3]] = np.nan
    return Changed(replace(before, labels=labels, values=values), test[::2], others)


def predicted(method, seen, settings):
    """Return the probabilities of the test samples of all that a method reports, by row."""
    outcomes = run_pipeline([method], seen, splits(), settings)
    assert [status.status for status in outcomes.statuses] == ["ok"], outcomes.statuses
    table = outcomes.predictions.set_index(["method", "sample"])
    return table[[f"p:{name}" for name in seen.classes]]


def furthest(before, after, rows):
    """Return the largest change of a probability of some rows of the cohort."""
    assert before.index.equals(after.index)
    here = before.index.get_level_values("sample").isin(cohort().samples[rows])
    return np.abs(after[here].to_numpy() - before[here].to_numpy()).max()


@pytest.mark.parametrize(("method", "settings"), CASES)
def test_other_test_samples_and_all_their_labels_have_no_say(method, settings):
    before = predicted(method, cohort(), settings)
    after = predicted(method, changed().cohort, settings)
    assert (cohort().labels != changed().cohort.labels)[splits()[0].test].mean() > 0.5
    assert furthest(before, after, changed().same) < 1e-9
    assert method is Method.MAJORITY or furthest(before, after, changed().others) > 1e-3


def test_a_network_that_is_fused_with_test_samples_is_found_out():
    before = predicted(Method.UNIFORM, cohort(), TRANSDUCTIVE)
    after = predicted(Method.UNIFORM, changed().cohort, TRANSDUCTIVE)
    assert furthest(before, after, changed().same) > 1e-4


class Peeking(Features):
    """Features that are selected and scaled by what all rows say, test rows included."""

    def fit(self, rows, modalities=None):
        return super().fit(np.arange(len(self.available)), modalities)


@pytest.mark.parametrize("method", [Method.BALANCED, Method.STACKED_LR])
def test_preprocessing_that_peeks_is_found_out(method, monkeypatch):
    monkeypatch.setattr("balmi.methods.pipeline.Features", Peeking)
    before = predicted(method, cohort(), MINIBATCHES)
    after = predicted(method, changed().cohort, MINIBATCHES)
    assert furthest(before, after, changed().same) > 1e-4


@pytest.mark.parametrize("method", Method)
def test_a_label_of_the_training_side_has_a_say(method):
    """Otherwise the check of test labels would pass whatever a method reads."""
    labels = cohort().labels.copy()
    learnt = splits()[0].fit[:12]
    labels[learnt] = (labels[learnt] + 1) % CLASSES
    before = predicted(method, cohort(), MINIBATCHES)
    after = predicted(method, replace(cohort(), labels=labels), MINIBATCHES)
    assert furthest(before, after, splits()[0].test) > 1e-4


def test_what_is_guided_here_has_teachers_and_a_gate():
    """Distillation and the null gate are at work, so that a leak through them would show."""
    settings = MINIBATCHES
    features = Features(cohort(), settings.preprocessing.max_features)
    found = measure_splits(cohort(), features, splits(), settings.information)
    plan = plan_distillation(found, settings.distillation)
    assert plan.teachers.any()
    assert (found.p_value <= 0.05).tolist() == [[True, True, False]]
    other = measure_splits(
        changed().cohort, Features(changed().cohort, 6), splits(), settings.information
    )
    for name in ("label", "p_value", "shared", "margin"):
        np.testing.assert_array_equal(getattr(found, name), getattr(other, name), name)
