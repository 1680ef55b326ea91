"""What teachers really give to students: the same start, no look at test samples, honest gaps."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from given_inputs import tables_of, with_tables
from sequential import alone
from sklearn.metrics import f1_score

from balmi.config.settings import (
    Design,
    Distillation,
    Evaluation,
    Model,
    Settings,
    Simulation,
    Training,
)
from balmi.data.cohort import Cohort
from balmi.data.simulate import simulate_cohort
from balmi.data.splits import PARTS, Split, make_splits
from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.experiments.gains import observe
from balmi.experiments.gains.observe import (
    fit_pairs,
    observable,
    observe_job,
    observed_gains,
)
from balmi.methods.distillation import balanced_shift, fit_modality
from balmi.methods.jobs import Loaded
from balmi.networks.data import replica_data
from balmi.networks.losses import SoftTargets
from balmi.networks.trained import predict
from balmi.preprocess.features import Features
from balmi.tables.contract import TABLES

MODEL = Model(hidden=8, dropout=0.3)
SETTINGS = Training(epochs=6, learning_rate=0.02)
DISTILLATION = Distillation()


def silent(name):
    return lambda *call: None


def settings_of(training, distillation):
    return Settings(model=MODEL, training=training, distillation=distillation)


def fit(data, training=SETTINGS, distillation=DISTILLATION):
    return fit_pairs(data, settings_of(training, distillation), silent)


def gains(data, training=SETTINGS, distillation=DISTILLATION, progress=silent):
    return observed_gains(data, settings_of(training, distillation), progress)


def without(data, modality, part, replicas=(0, 1, 2)):
    """Return data in which no sample of a part of some replicas has a modality."""
    available = data.available.clone()
    column = data.modalities.index(modality)
    for replica in replicas:
        available[replica, getattr(data.splits[replica], part), column] = False
    return replace(data, available=available)


@pytest.fixture(scope="module")
def pair(data):
    """Return the data of two modalities, one of which a fifth of the samples lacks."""
    kept = [data.modalities.index(name) for name in ("strong", "weak")]
    return replace(
        data,
        modalities=("strong", "weak"),
        inputs=tuple(data.inputs[i] for i in kept),
        available=data.available[:, :, kept],
        widths=tuple(data.widths[i] for i in kept),
    )


@pytest.fixture(scope="module")
def observed(data):
    return gains(data)


def test_every_ordered_pair_has_a_row_per_fold(observed, data):
    assert list(observed) == list(TABLES["gains"].names)
    numbers = {name: kind for name, kind in TABLES["gains"].empty().dtypes.items() if kind != "str"}
    assert observed[list(numbers)].dtypes.astype(str).to_dict() == numbers
    pairs = observed.groupby(["teacher", "student"]).size()
    assert len(pairs) == 12
    assert set(pairs) == {3}
    assert not (observed["teacher"] == observed["student"]).any()
    assert observed["macro_f1"].between(0, 1).all()


def test_scores_are_those_of_test_samples_that_have_both(pair):
    found = gains(pair).set_index(["teacher", "student", "fold"])
    logits = fit(pair)
    has_weak = pair.available[:, :, 1].numpy()
    assert not has_weak.all()
    for replica, split in enumerate(pair.splits):
        rows = split.test[has_weak[replica, split.test]]
        truth = pair.labels.numpy()[rows]
        for teacher, student in (("strong", "weak"), ("weak", "strong")):
            for key, column in (
                ((teacher, student), "macro_f1"),
                ((None, student), "macro_f1_alone"),
            ):
                predicted = logits[key][replica, rows].argmax(dim=1).numpy()
                expected = f1_score(truth, predicted, average="macro", zero_division=0)
                value = found.loc[(teacher, student, split.fold), column]
                assert value == pytest.approx(expected)


def test_only_the_teacher_tells_the_trainings_apart(pair):
    """Without a say of the teacher, students are bit for bit those that learned alone."""
    logits = fit(pair, distillation=Distillation(strength=0))
    for student in pair.modalities:
        others = [key for key in logits if key[1] == student]
        assert len(others) == 2
        assert all(torch.equal(logits[key], logits[None, student]) for key in others)
    heard = fit(pair)
    assert not torch.equal(heard["strong", "weak"], heard[None, "weak"])
    assert torch.equal(heard[None, "weak"], logits[None, "weak"])


def test_every_teacher_speaks_at_the_configured_strength_where_both_are_there(pair):
    logits = fit(pair, distillation=Distillation(strength=0.6, temperature=3))
    # The teacher of the default configuration is class-balanced, here as in the pretraining.
    shift = balanced_shift(pair, SETTINGS)[:, None, :]
    soft = SoftTargets(
        logits=logits[None, "strong"] - shift,
        taught=pair.available.all(dim=2),
        strength=torch.full((3,), 0.6, dtype=torch.float64),
        temperature=3,
    )
    whole = SETTINGS.model_copy(update={"patience": SETTINGS.epochs})
    own = pair.only("weak")
    trained = fit_modality(own, soft, MODEL, whole, "gains/weak", silent(""))
    assert torch.equal(predict(trained, own)[:, :, 0], logits["strong", "weak"])


def test_every_training_goes_to_its_last_epoch(pair):
    ends = {}

    def progress(name):
        return lambda epoch, epochs, active: ends.update({name: (epoch, epochs)})

    settings = Training(epochs=25, patience=1, learning_rate=0.5)
    gains(pair, settings, progress=progress)
    assert set(ends) == {
        "strong alone",
        "weak alone",
        "weak taught by strong",
        "strong taught by weak",
    }
    assert set(ends.values()) == {(25, 25)}


def test_many_samples_take_as_many_steps_as_a_few_thousand(pair, monkeypatch):
    ends = {}

    def progress(name):
        return lambda epoch, epochs, active: ends.update({name: (epoch, epochs)})

    # As if a third of these samples were 2,000.
    monkeypatch.setattr(observe, "MANY", len(pair.labels) / 3)
    gains(pair, Training(epochs=6, batch_size=8), progress=progress)
    assert set(ends.values()) == {(2, 2)}
    gains(pair, Training(epochs=6, batch_size=None), progress=progress)
    assert set(ends.values()) == {(6, 6)}


def test_test_samples_have_no_say(data):
    """Garbling labels and features of test samples changes no prediction of another sample."""
    split = data.splits[1]
    single = alone(data, 1)
    labels = single.labels.clone()
    labels[split.test] = (labels[split.test] + 1) % single.classes
    inputs = tables_of(single)
    for values in inputs:
        values[:, split.test] = 100.0
    garbled = replace(with_tables(single, inputs), labels=labels)
    one, other = fit(single), fit(garbled)
    assert len(one) == 16
    for key, logits in one.items():
        assert torch.equal(logits[:, split.fit], other[key][:, split.fit])
        assert not torch.equal(logits[:, split.test], other[key][:, split.test])


def test_two_runs_are_equal(pair):
    pd.testing.assert_frame_equal(gains(pair), gains(pair))


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_fold_without_shared_samples_has_no_value_and_the_others_have(pair, part):
    found = gains(without(pair, "weak", part, replicas=[1])).set_index("fold")
    assert found.loc[1, ["macro_f1", "macro_f1_alone"]].isna().all(axis=None)
    assert found.loc[[0, 2], ["macro_f1", "macro_f1_alone"]].notna().all(axis=None)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_pair_that_no_fold_shares_leaves_the_other_pairs_alone(data, observed, part):
    found = gains(without(data, "weak", part))
    lacking = (found["teacher"] == "weak") | (found["student"] == "weak")
    assert found.loc[lacking, "macro_f1"].isna().all()
    assert found.loc[lacking, "macro_f1_alone"].isna().all()
    pd.testing.assert_frame_equal(found[~lacking], observed[~lacking])


def test_where_a_gain_can_be_observed_by_hand(pair):
    where = observable(without(pair, "strong", "test", replicas=[2]))
    none, both = [[False, False], [False, False]], [[False, True], [True, False]]
    assert where.tolist() == [both, both, none]


def test_what_cannot_be_observed_says_why(pair):
    with pytest.raises(MethodNotApplicable, match="two modalities, and there is one"):
        gains(pair.only("strong"))
    with pytest.raises(MethodNotApplicable, match="no fold has two modalities together"):
        gains(without(pair, "weak", "train"))
    with pytest.raises(MethodNotApplicable, match=r"distillation\.strength is 0"):
        gains(pair, distillation=Distillation(strength=0))


def test_a_loss_that_is_not_finite_fails(pair):
    inputs = tables_of(pair)
    inputs[1][0, pair.splits[0].train] = torch.inf
    with pytest.raises(MethodFailed, match="not finite in epoch 1 of gains/weak"):
        gains(with_tables(pair, inputs))


class Inputs:
    """Inputs of a job whose files are read already."""

    settings = settings_of(SETTINGS, DISTILLATION)

    def __init__(self, cohort, data):
        self.loaded = Loaded(cohort, None, list(data.splits), data, None)

    def load(self, chosen):
        splits = self.loaded.splits
        assert chosen(splits, 1) == [each for each in splits if each.repeat == 0]
        return self.loaded


def test_the_job_writes_what_it_found_and_how_it_ended(plain_cohort, pair, tmp_path):
    files = tmp_path / "gains.parquet", tmp_path / "status.json"
    observe_job(Inputs(plain_cohort, pair), *files)
    pd.testing.assert_frame_equal(pd.read_parquet(files[0]), gains(pair), check_dtype=False)
    assert '"status": "ok"' in files[1].read_text()
    observe_job(Inputs(plain_cohort, pair.only("weak")), *files)
    assert list(pd.read_parquet(files[0])) == list(TABLES["gains"].names)
    assert len(pd.read_parquet(files[0])) == 0
    assert '"status": "not_applicable"' in files[1].read_text()


def splits_of(cohort, evaluation):
    table = make_splits(cohort, evaluation)
    return [
        Split(
            int(repeat),
            int(fold),
            *(
                np.sort(cohort.positions(rows.loc[rows["part"] == part, "sample"].astype(str)))
                for part in PARTS
            ),
        )
        for (repeat, fold), rows in table.groupby(["repeat", "fold"])
    ]


@pytest.fixture(scope="module")
def gaussian():
    """Return the mean gain of the Gaussian design's student at full strength, by its dial."""

    def observe(shared_information, seed):
        settings = Simulation(samples=300, shared_information=shared_information, seed=seed)
        made = simulate_cohort(settings, Design.GAUSSIAN)
        classes, labels = np.unique(made.samples["outcome"], return_inverse=True)
        cohort = Cohort(
            samples=made.samples.index.to_numpy(dtype=str),
            labels=labels,
            classes=tuple(classes),
            groups=None,
            values={name: table.to_numpy() for name, table in made.modalities.items()},
            features={name: tuple(table.columns) for name, table in made.modalities.items()},
            kinds=dict.fromkeys(made.modalities, "generic"),
            provenance={},
        )
        splits = splits_of(cohort, Evaluation(repeats=1, folds=3))
        data = replica_data(cohort, Features(cohort, 40), splits, None, torch.device("cpu"))
        settings = Settings(
            model=Model(hidden=16),
            training=Training(epochs=60),
            distillation=Distillation(strength=1),
        )
        found = observed_gains(data, settings, silent)
        found = found[found["student"] == "student"]
        return (found["macro_f1"] - found["macro_f1_alone"]).mean()

    return observe


def test_the_gain_has_the_sign_of_the_planted_margin(gaussian):
    assert np.mean([gaussian(0.0, seed) for seed in (1, 2)]) < -0.03
    assert np.mean([gaussian(1.2, seed) for seed in (1, 2)]) > 0.03
