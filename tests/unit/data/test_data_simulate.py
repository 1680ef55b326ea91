import numpy as np
import pandas as pd
import pytest

from balmi.config.catalogue import resolve
from balmi.config.settings import Dataset, Simulation
from balmi.data.assemble import assemble_cohort
from balmi.data.cohort import write_tables
from balmi.data.simulate import (
    CLASSES,
    SEPARATION,
    SHARES,
    planted_information,
    simulate_cohort,
)

ENTROPY = -sum(share * np.log(share) for share in SHARES)
SMALL = Simulation(samples=121, features=6, missing=0.25)


def test_one_seed_is_one_cohort():
    one, other = simulate_cohort(SMALL), simulate_cohort(SMALL)
    pd.testing.assert_frame_equal(one.samples, other.samples)
    for name, table in one.modalities.items():
        pd.testing.assert_frame_equal(table, other.modalities[name])
    third = simulate_cohort(SMALL.model_copy(update={"seed": 1}))
    assert not third.modalities["strong"].equals(one.modalities["strong"])


def test_shapes():
    made = simulate_cohort(SMALL)
    assert set(made.modalities) == set(SEPARATION) == set(made.truth)
    assert len(made.samples) == 121
    assert all(table.shape[1] == 6 for table in made.modalities.values())
    assert set(made.samples["subtype"]) == set(CLASSES)
    assert made.samples.index.is_unique
    assert made.samples.index.is_monotonic_increasing


@pytest.mark.parametrize("missing", [0, 0.2, 0.6])
def test_only_the_weak_modality_is_missing_and_by_its_share(missing):
    made = simulate_cohort(SMALL.model_copy(update={"missing": missing}))
    counts = {name: len(table) for name, table in made.modalities.items()}
    assert counts.pop("weak") == 121 - round(missing * 121)
    assert set(counts.values()) == {121}
    assert made.modalities["weak"].index.isin(made.samples.index).all()


def test_samples_of_a_patient_come_in_pairs_and_share_the_class():
    patients = simulate_cohort(SMALL).samples.groupby("patient")["subtype"]
    assert patients.nunique().max() == 1
    assert sorted(patients.size())[:2] == [1, 2]  # 121 samples: one patient is alone
    assert patients.size().max() == 2


def test_classes_have_their_shares():
    made = simulate_cohort(Simulation(samples=4000, features=4))
    shares = made.samples["subtype"].value_counts(normalize=True)
    np.testing.assert_allclose([shares[name] for name in CLASSES], SHARES, atol=0.04)


def test_nothing_is_planted_without_separation():
    assert planted_information(0.0) == pytest.approx(0, abs=1e-12)


def test_everything_is_known_at_a_large_separation():
    assert planted_information(50.0) == pytest.approx(ENTROPY, abs=0.005)


def test_information_grows_with_separation():
    found = [planted_information(separation) for separation in (0.2, 0.8, 1.5, 2.2, 4.0)]
    assert found == sorted(found)
    assert found[0] > 0
    assert found[-1] < ENTROPY + 0.005


def test_faint_information_follows_its_expansion():
    """For small s, I = s^2/2 times the variance of the centres under the class shares."""
    angles = 2 * np.pi * np.arange(3) / 3
    corners = np.column_stack([np.cos(angles), np.sin(angles)])
    spread = 1 - np.sum((np.array(SHARES) @ corners) ** 2)
    assert planted_information(0.2) == pytest.approx(0.2**2 / 2 * spread, abs=0.003)


def test_monte_carlo_agrees_with_quadrature():
    """The same integral on a grid: I = h(mixture) - h(normal)."""
    separation = SEPARATION["strong"]
    angles = 2 * np.pi * np.arange(3) / 3
    centres = separation * np.column_stack([np.cos(angles), np.sin(angles)])
    axis = np.linspace(-9, 9, 361)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    density = sum(
        share * np.exp(-0.5 * ((grid - centre) ** 2).sum(axis=-1)) / (2 * np.pi)
        for share, centre in zip(SHARES, centres, strict=True)
    )
    cell = (axis[1] - axis[0]) ** 2
    entropy = -np.sum(density * np.log(np.maximum(density, 1e-300))) * cell
    exact = entropy - np.log(2 * np.pi * np.e)
    assert planted_information(separation) == pytest.approx(exact, abs=0.006)


def test_the_seed_of_the_truth_hardly_matters():
    assert abs(planted_information(0.8, 1) - planted_information(0.8, 2)) < 0.006


def test_strong_and_redundant_share_their_signal_and_the_others_do_not():
    made = simulate_cohort(Simulation(samples=2000, features=10, missing=0))
    label = pd.get_dummies(made.samples["subtype"]).to_numpy(dtype=float)
    signals = {}
    for name, table in made.modalities.items():
        values = (
            table.to_numpy() - label @ (label.T @ table / label.sum(axis=0)[:, None]).to_numpy()
        )
        signals[name] = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)[0][:, :2]

    def shared(one, other):
        return np.linalg.svd(signals[one].T @ signals[other])[1].max()

    assert shared("strong", "redundant") > 0.7
    for name in ("strong", "redundant", "weak"):
        assert shared(name, "noise") < 0.2
    assert shared("strong", "weak") < 0.2


def test_the_simulated_cohort_goes_the_way_of_users_files(tmp_path):
    made = simulate_cohort(SMALL)
    write_tables(made.samples, made.modalities, tmp_path / "mine.h5mu")
    dataset = resolve("mine", Dataset(catalogue="simulated"), folder=str(tmp_path))
    cohort = assemble_cohort("mine", dataset, folds=3)
    assert cohort.samples.tolist() == made.samples.index.tolist()
    assert cohort.groups.tolist() == made.samples["patient"].tolist()
    assert np.array(cohort.classes)[cohort.labels].tolist() == made.samples["subtype"].tolist()
    weak = made.modalities["weak"].reindex(made.samples.index).to_numpy()
    np.testing.assert_allclose(cohort.values["weak"], weak)
    assert cohort.available[:, 2].sum() == len(made.modalities["weak"])
