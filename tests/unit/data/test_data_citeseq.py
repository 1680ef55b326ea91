import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse

from balmi.config.catalogue import resolve
from balmi.config.settings import Dataset, Design, Simulation
from balmi.data.assemble import assemble_cohort
from balmi.data.citeseq import BLOCK, DONORS, LINEAGES, SHARES, cells_per_type
from balmi.data.cohort import write_tables
from balmi.data.simulate import simulate_cohort

RARE = [name for name, share in SHARES.items() if share <= 0.02]
SMALL = Simulation(samples=300, features=200)


def draw(**changes):
    return simulate_cohort(SMALL.model_copy(update=changes), Design.CITESEQ)


@pytest.fixture(scope="module")
def made():
    return draw()


def counts_of(cohort, modality):
    counts = cohort.modalities[modality].X
    return counts.toarray() if issparse(counts) else counts


def test_one_seed_is_one_cohort(made):
    again, other = draw(), draw(seed=1)
    pd.testing.assert_frame_equal(made.samples, again.samples)
    for name in ("rna", "adt"):
        np.testing.assert_array_equal(counts_of(made, name), counts_of(again, name))
        assert (counts_of(made, name) != counts_of(other, name)).any()


def test_counts_are_whole_and_those_of_rna_are_sparse(made):
    assert made.modalities["rna"].X.format == "csr"
    assert made.modalities["rna"].X.has_canonical_format
    for name, features in {"rna": 200, "adt": len(SHARES)}.items():
        counts = counts_of(made, name)
        assert counts.shape == (300, features)
        assert counts.dtype == np.float32
        assert (counts >= 0).all()
        np.testing.assert_array_equal(counts, np.round(counts))
        table = made.modalities[name]
        assert table.var_names.is_unique
        assert list(table.obs_names) == list(made.samples.index)
    assert made.samples.index.is_monotonic_increasing


def test_an_antibody_per_hundred_genes_and_one_per_type_at_least():
    assert draw(samples=120, features=4).modalities["adt"].n_vars == 12
    assert draw(samples=120, features=20_000).modalities["adt"].n_vars == 200


def test_a_twentieth_of_20000_genes_is_seen_in_a_cell():
    counts = draw(samples=200, features=20_000).modalities["rna"].X
    assert counts.nnz / np.prod(counts.shape) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("cells", [120, 121, 300, 999, 2000, 100_000])
def test_types_have_their_shares_and_no_donor_lacks_one(cells):
    counts = dict(zip(SHARES, cells_per_type(cells), strict=True))
    assert sum(counts.values()) == cells
    assert min(counts.values()) >= DONORS
    if cells >= 2000:
        for name, share in SHARES.items():
            assert counts[name] == pytest.approx(share * cells, abs=1)


def test_three_types_are_rare_and_ten_donors_have_all_types(made):
    assert len(SHARES) == 12
    assert len(RARE) == 3
    assert sum(SHARES.values()) == pytest.approx(1)
    cells = made.samples.groupby(["celltype", "donor"]).size()
    assert len(cells) == 12 * DONORS
    counts = draw(samples=2000, features=4).samples["celltype"].value_counts(normalize=True)
    assert counts[RARE].between(0.01, 0.02).all()


def test_no_block_of_cells_repeats_another():
    blocks = np.vsplit(counts_of(draw(samples=2 * BLOCK, features=1200), "adt"), 2)
    assert abs(np.corrcoef(*(block.sum(axis=1) for block in blocks))[0, 1]) < 0.15


def nearest_centre(counts, classes):
    """Return the accuracy of the nearest class mean of the other half of the cells."""
    logs = np.log1p(1e4 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    half = np.arange(len(logs)) % 2 == 0
    names, codes = np.unique(classes, return_inverse=True)
    centres = np.stack([logs[half & (codes == code)].mean(axis=0) for code in range(len(names))])
    closeness = logs[~half] @ centres.T - (centres**2).sum(axis=1) / 2
    return np.mean(closeness.argmax(axis=1) == codes[~half])


def test_rna_tells_types_and_lineages_and_antibodies_tell_them_less():
    cohort = draw(samples=800, features=10_000)
    types = cohort.samples["celltype"].to_numpy()
    found = {
        (name, what): nearest_centre(counts_of(cohort, name), classes)
        for name in ("rna", "adt")
        for what, classes in {"type": types, "lineage": [name[0] for name in types]}.items()
    }
    assert found["rna", "type"] > found["adt", "type"] + 0.1
    assert found["rna", "lineage"] > found["adt", "lineage"] + 0.1
    assert found["adt", "lineage"] > 0.34 + 0.2  # the share of the largest lineage, and more
    assert len(np.unique(LINEAGES)) == 4


def test_donors_differ():
    """Genes vary more between donors than their cells make them, within one type."""
    cohort = draw(samples=4000, features=1000)
    one = (cohort.samples["celltype"] == "a1").to_numpy()
    logs = pd.DataFrame(np.log1p(counts_of(cohort, "rna")[one]))
    cells = logs.groupby(cohort.samples["donor"].to_numpy()[one])
    chance = (cells.var().div(cells.size(), axis=0)).mean()
    seen = logs.columns[logs.mean() > 0.5]
    assert len(seen) > 5
    assert (cells.mean().var() / chance)[seen].mean() > 1.5


def test_the_cohort_goes_the_way_of_users_files(made, tmp_path):
    write_tables(made.samples, made.modalities, tmp_path / "mine.h5mu")
    dataset = resolve("mine", Dataset(catalogue="simulated-citeseq"), folder=str(tmp_path))
    cohort = assemble_cohort("mine", dataset, folds=5)
    assert cohort.samples.tolist() == made.samples.index.tolist()
    assert cohort.groups.tolist() == made.samples["donor"].tolist()
    assert np.array(cohort.classes)[cohort.labels].tolist() == made.samples["celltype"].tolist()
    assert cohort.kinds == {"rna": "rna-counts", "adt": "adt"}
