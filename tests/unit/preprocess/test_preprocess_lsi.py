import logging
from dataclasses import replace

import numpy as np
import pytest
from anndata import AnnData
from scipy.sparse import csr_array, csr_matrix

from balmi.data.measurements import Measurements
from balmi.preprocess.features import Features
from balmi.preprocess.lsi import fit_lsi


def peaks(cells=60, features=40, seed=0, depths=0.5):
    """Return counts of cells of three types and of depths that differ."""
    rng = np.random.default_rng(seed)
    types = rng.gamma(1, size=(3, features))[np.arange(cells) % 3]
    depth = np.exp(depths * rng.standard_normal((cells, 1)))
    return rng.poisson(types * depth).astype(float)


def test_weights_and_their_first_component_by_hand():
    """Peaks have 2, 1 and no counts in 2 cells; cells have 2 and 1."""
    counts = np.array([[1.0, 1, 0], [1, 0, 0]])
    fitted = fit_lsi(counts)
    np.testing.assert_allclose(fitted.idf, [np.log(2), np.log(3), 0])
    weights = np.log1p([[5000, 5000, 0], [10_000, 0, 0]]) * fitted.idf
    first = np.linalg.svd(weights)[2][0]
    assert abs(fitted.depth_correlation) == pytest.approx(1)  # two cells lie on a line always
    assert fitted.components.size == 0
    np.testing.assert_allclose(np.corrcoef(weights @ first, [2, 1])[0, 1] ** 2, 1)


@pytest.mark.parametrize("form", [csr_array, np.asarray])
def test_scores_of_the_cells_learned_from_are_those_of_muon(form):
    atac = pytest.importorskip("muon").atac
    counts = peaks()
    data = AnnData(csr_matrix(counts))
    atac.pp.tfidf(data)
    atac.tl.lsi(data, n_comps=8)
    fitted = fit_lsi(form(counts), components=8)
    assert fitted.components.size >= 7
    scores = fitted.apply(form(counts))
    scores = (scores - scores.mean(axis=0)) / scores.std(axis=0)
    expected = data.obsm["X_lsi"][:, fitted.components - 1]
    signs = np.sign((scores * expected).sum(axis=0))
    np.testing.assert_allclose(scores * signs, expected, atol=1e-6)
    loadings = data.varm["LSI"][:, fitted.components - 1]
    np.testing.assert_allclose(fitted.loadings * signs, loadings, atol=1e-6)


def test_cells_score_alone_as_among_others():
    counts = peaks()
    fitted = fit_lsi(counts[:40], components=5)
    np.testing.assert_allclose(fitted.apply(counts)[40:41], fitted.apply(counts[40:41]), rtol=1e-12)


@pytest.mark.parametrize("depths", [1.0, 0.0])
def test_a_first_component_of_depth_is_dropped(depths, caplog):
    counts = peaks(200, 100, depths=depths)
    with caplog.at_level(logging.INFO, "balmi"):
        fitted = fit_lsi(counts, components=6)
    deep = abs(fitted.depth_correlation) > 0.75
    assert deep == (depths > 0)
    assert fitted.components.tolist() == list(range(1 + deep, 7))
    assert caplog.text.count("dropped" if deep else "kept") == 1


def test_what_holds_nothing_has_no_components():
    for counts in (np.zeros((5, 4)), np.ones((1, 4)), np.ones((0, 4)), np.ones((5, 1))):
        fitted = fit_lsi(counts)
        assert fitted.apply(np.ones((3, counts.shape[1]))).shape == (3, 0)


def test_a_cell_without_counts_and_a_peak_that_was_not_measured_are_0():
    counts = peaks()
    fitted = fit_lsi(counts, components=3)
    lacking = counts[:2].copy()
    lacking[0] = 0
    expected = fitted.apply(lacking)
    np.testing.assert_array_equal(expected[0], 0)
    lacking[0, 3] = np.nan
    np.testing.assert_array_equal(fitted.apply(lacking), expected)


@pytest.fixture
def open_chromatin(cohort):
    """Return the cohort with counts of peaks as its first modality, which some samples lack."""
    name, n = cohort.modalities[0], len(cohort.samples)
    rows = np.flatnonzero(np.arange(n) % 7 != 3)
    return replace(
        cohort,
        values={**cohort.values, name: Measurements(rows, csr_array(peaks(len(rows))))},
        features={**cohort.features, name: tuple(f"peak-{i}" for i in range(40))},
        kinds={**cohort.kinds, name: "atac"},
    )


def test_components_of_a_fold_are_learned_from_its_training_cells_alone(open_chromatin):
    name, train = open_chromatin.modalities[0], np.arange(90)
    measured = open_chromatin.values[name]
    changed, held_out = measured.values.toarray(), measured.rows >= 90
    changed[held_out] = np.random.default_rng(1).poisson(9, changed[held_out].shape)
    other = replace(measured, values=csr_array(changed))
    altered = replace(open_chromatin, values={**open_chromatin.values, name: other})
    one, two = (Features(each, 1000) for each in (open_chromatin, altered))
    scores = [each.apply(each.fit(train)).features[name] for each in (one, two)]
    np.testing.assert_array_equal(scores[0][train], scores[1][train])
    assert (scores[0][90:] != scores[1][90:]).any()
    has = open_chromatin.available[:, 0]
    np.testing.assert_array_equal(scores[0][~has], 0)
    own = scores[0][train][has[train]]
    np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(own.std(axis=0), 1, atol=1e-4)


def test_folds_have_components_of_their_own_whatever_the_order(open_chromatin):
    name = open_chromatin.modalities[0]
    first, second = np.arange(0, 80), np.arange(40, 120)
    features, alone = Features(open_chromatin, 1000), Features(open_chromatin, 1000)
    fits = [features.fit(rows) for rows in (first, second, first)]
    kept = [fitted.modalities[name].kept for fitted in fits]
    assert kept[0].max() < kept[1].min()
    assert kept[2] is kept[0]
    assert len(features.names[name]) == features.values[name].features == kept[1].max() + 1
    assert len(set(features.names[name])) == len(features.names[name])
    found = features.apply(fits[1]).features[name]
    np.testing.assert_array_equal(found, alone.apply(alone.fit(second)).features[name])
    assert open_chromatin.features[name][0] == "peak-0"
