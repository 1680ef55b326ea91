import numpy as np
import pandas as pd
import pytest
from scipy.integrate import trapezoid
from scipy.special import entr, ndtr

from balmi.config.catalogue import resolve
from balmi.config.settings import LARGEST_SHARED_INFORMATION, Dataset, Design, Simulation
from balmi.data.assemble import assemble_cohort
from balmi.data.cohort import write_tables
from balmi.data.simulate import (
    CLASSES,
    DESIGNS,
    SEPARATION,
    SHARES,
    STUDENT_CORRELATION,
    TEACHER_CORRELATION,
    planted_information,
    sign_information,
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
    np.testing.assert_allclose(cohort.tables["weak"], weak)
    assert cohort.available[:, 2].sum() == len(made.modalities["weak"])


def test_every_design_can_be_drawn_and_has_its_seed():
    assert set(DESIGNS) == set(Design)
    for design in sorted(set(Design) - {Design.CITESEQ}):  # tested in test_data_citeseq.py
        one, other = (simulate_cohort(SMALL, design) for _ in range(2))
        third = simulate_cohort(SMALL.model_copy(update={"seed": 1}), design)
        pd.testing.assert_frame_equal(one.samples, other.samples)
        assert set(one.truth) == set(one.modalities)
        for name, table in one.modalities.items():
            pd.testing.assert_frame_equal(table, other.modalities[name])
            assert not table.equals(third.modalities[name])


def gaussian(**changes):
    return simulate_cohort(Simulation(**changes), Design.GAUSSIAN)


def test_shapes_of_the_gaussian_design():
    made = gaussian(samples=121, features=6)
    assert list(made.modalities) == ["teacher", "student"]
    assert all(table.shape == (121, 6) for table in made.modalities.values())
    assert all(table.index.equals(made.samples.index) for table in made.modalities.values())
    assert set(made.samples["outcome"]) == {"low", "high"}


@pytest.mark.parametrize("correlation", [0.0, 0.3, -0.3, 0.6, 0.95])
def test_sign_information_against_the_definition(correlation):
    """H(sign Y) - H(sign Y | X) by brute force on a fine grid of x."""
    grid = np.linspace(-9, 9, 200_001)
    density = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    above = ndtr(grid * correlation / np.sqrt(1 - correlation**2))
    expected = np.log(2) - trapezoid(density * (entr(above) + entr(1 - above)), grid)
    assert sign_information(correlation) == pytest.approx(expected, abs=1e-6)


def test_the_approximation_that_the_argument_uses():
    close = -np.log1p(-2 / np.pi * STUDENT_CORRELATION**2) / 2
    assert sign_information(STUDENT_CORRELATION) == pytest.approx(close, abs=5e-4)


def test_the_dial_reaches_to_the_ends_of_what_is_possible():
    largest = 2 * TEACHER_CORRELATION * STUDENT_CORRELATION
    assert pytest.approx(1) == TEACHER_CORRELATION**2 + STUDENT_CORRELATION**2
    possible = -np.log1p(-(largest**2)) / 2
    assert possible - 0.01 < LARGEST_SHARED_INFORMATION <= possible


@pytest.mark.parametrize("shared", [0.0, 0.13, 0.6, LARGEST_SHARED_INFORMATION])
def test_the_gaussian_design_has_the_information_that_was_set(shared):
    """Both latents are found again from the features of many samples, by knowing the design."""
    settings = Simulation(samples=20_000, features=8, shared_information=shared, seed=4)
    made = simulate_cohort(settings, Design.GAUSSIAN)
    high = (made.samples["outcome"] == "high").to_numpy()
    assert high.mean() == pytest.approx(0.5, abs=0.015)
    teacher, student = (made.modalities[name].to_numpy() for name in ("teacher", "student"))
    # every feature of the student varies alike, and the class tells the direction of S
    np.testing.assert_allclose(np.cov(student.T), np.eye(8), atol=0.05)
    weights = np.linalg.svd(teacher - teacher.mean(axis=0), full_matrices=False)[2][0]
    found = {
        "teacher": teacher @ weights,
        "student": student @ (student[high].mean(axis=0) - student[~high].mean(axis=0)),
    }
    measures = 2 * high - 1
    reached = {key: abs(np.corrcoef(value, measures)[0, 1]) for key, value in found.items()}
    # corr(X, sign Y) = sqrt(2 / pi) corr(X, Y); the teacher's features are noisy
    share = np.sqrt(2 / np.pi)
    assert reached["student"] == pytest.approx(share * STUDENT_CORRELATION, abs=0.02)
    assert (
        share * TEACHER_CORRELATION * 0.85 < reached["teacher"] < share * TEACHER_CORRELATION + 0.02
    )
    together = abs(np.corrcoef(found["teacher"], found["student"])[0, 1])
    known = reached["teacher"] / (share * TEACHER_CORRELATION)  # corr(T, what is found of T)
    assert together / known == pytest.approx(np.sqrt(1 - np.exp(-2 * shared)), abs=0.03)


def test_the_truth_of_the_gaussian_design():
    truth = gaussian(samples=120).truth
    assert truth["student"] == pytest.approx(0.1306, abs=1e-4)
    assert truth["teacher"] == pytest.approx(0.2666, abs=1e-4)


@pytest.fixture(scope="module")
def interacting():
    return simulate_cohort(Simulation(samples=4000, features=50, seed=2), Design.INTERACTION)


def test_shapes_of_the_interaction_design(interacting):
    assert list(interacting.modalities) == ["first", "second"]
    assert all(table.shape == (4000, 50) for table in interacting.modalities.values())
    assert interacting.truth == {"first": 0.0, "second": 0.0}
    assert set(interacting.samples["outcome"]) == {"same", "opposite"}


def scores(table):
    """Return the first principal component's scores, whose sign is free."""
    values = table.to_numpy() - table.to_numpy().mean(axis=0)
    return np.linalg.svd(values, full_matrices=False)[0][:, 0]


def test_one_modality_tells_nothing_of_the_interaction_and_both_tell_all(interacting):
    same = (interacting.samples["outcome"] == "same").to_numpy()
    assert same.mean() == pytest.approx(0.5, abs=0.03)
    found = {name: scores(table) for name, table in interacting.modalities.items()}
    for values in found.values():  # neither its sign nor its size tells the class
        assert np.mean((values > 0) == same) == pytest.approx(0.5, abs=0.03)
        assert abs(np.corrcoef(np.abs(values), same)[0, 1]) < 0.05
    together = np.mean((found["first"] * found["second"] > 0) == same)
    assert max(together, 1 - together) > 0.9


def test_the_signal_to_noise_ratio_of_the_interaction_design(interacting):
    """The variance of a feature is 1 of noise and, on average, 2 of signal."""
    for table in interacting.modalities.values():
        assert table.var().mean() == pytest.approx(3, abs=0.15)
        rest = table.to_numpy() - np.outer(scores(table), scores(table) @ table.to_numpy())
        assert rest.var() == pytest.approx(1, abs=0.05)
