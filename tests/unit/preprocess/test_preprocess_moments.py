import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from balmi.preprocess import moments
from balmi.preprocess.fitted import fit_modality
from balmi.preprocess.moments import column_medians, column_moments


@pytest.fixture(params=["at once", "by blocks"])
def block(request, monkeypatch):
    if request.param == "by blocks":
        monkeypatch.setattr(moments, "BLOCK", 60)


@pytest.mark.usefixtures("block")
def test_moments_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, (30, 8)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    values[:, 5] = np.nan
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    imputed = imputer.fit_transform(values.astype(np.float64))
    scaler = StandardScaler().fit(imputed)
    means, variances, squares = column_moments(values)
    np.testing.assert_allclose(column_medians(values), imputer.statistics_, rtol=1e-12)
    np.testing.assert_allclose(means, scaler.mean_, rtol=1e-12)
    np.testing.assert_allclose(variances, scaler.var_, rtol=1e-12)
    np.testing.assert_allclose(squares, (imputed**2).mean(axis=0), rtol=1e-12)


def test_sparse_measurements_say_what_dense_ones_do():
    """A cell that is not stored is a measured 0, in the median too."""
    rng = np.random.default_rng(1)
    values = rng.poisson(0.8, (41, 12)).astype(np.float32)
    values[:, 3] = 0
    values[:, 4] = 2
    for found, expected in zip(
        (column_medians(csr_array(values)), *column_moments(csr_array(values))),
        (column_medians(values), *column_moments(values)),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    sparse, plain = fit_modality(csr_array(values), 5), fit_modality(values, 5)
    assert sparse.kept.tolist() == plain.kept.tolist()
    assert not {3, 4} & set(sparse.kept.tolist())
    np.testing.assert_allclose(sparse.apply(csr_array(values)), plain.apply(values), atol=1e-12)


def test_a_large_constant_is_no_variance():
    """In double precision too its mean is rounded."""
    values = np.full((7, 2), 1e8 / 3)
    values[:, 1] += np.arange(7)
    assert fit_modality(values, 2).kept.tolist() == [1]
    assert fit_modality(csr_array(values), 2).kept.tolist() == [1]
