import gzip
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import mmwrite
from scipy.sparse import csc_array, issparse

from balmi.config.settings import Dataset
from balmi.data.assemble import assemble_cohort
from balmi.data.contents import content
from balmi.data.files import annotated_files
from balmi.data.readers import load_measurements, load_samples
from balmi.data.tenx import is_folder, read_counts, read_names, unique_names
from balmi.errors import UserError

GENES, ANTIBODIES, PEAKS = "Gene Expression", "Antibody Capture", "Peaks"
FEATURES = [
    ("ENSG1", "CD3", GENES),
    ("ENSG2", "NA", GENES),
    ("ENSG3", "TBCE", GENES),
    ("ab1", "CD3", ANTIBODIES),
    ("ENSG4", "TBCE", GENES),
    ("ab2", "CD4", ANTIBODIES),
    ("chr1:1-9", "chr1:1-9", PEAKS),
]
CELLS = ["AAA-1", "CCC-1", "GGG-1", "TTT-1"]
COUNTS = np.random.default_rng(0).poisson(0.8, (len(CELLS), len(FEATURES)))
NAMES = {
    "rna": ["CD3", "NA", "ENSG3", "ENSG4"],
    "prot": ["CD3", "CD4"],
    "adt": ["CD3", "CD4"],
    ANTIBODIES: ["CD3", "CD4"],
    "gene expression": ["CD3", "NA", "ENSG3", "ENSG4"],
    "atac": ["chr1:1-9"],
}
PLACES = {"rna": [0, 1, 2, 4], "prot": [3, 5], "adt": [3, 5], ANTIBODIES: [3, 5], "atac": [6]}
PLACES["gene expression"] = PLACES["rna"]


def write_file(path, features=FEATURES, counts=COUNTS):
    """Write a file as Cell Ranger 3 does: columns are cells."""
    matrix = csc_array(counts.T)
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        group["barcodes"] = np.array(CELLS, dtype="S")
        group["data"] = matrix.data.astype(np.int32)
        group["indices"] = matrix.indices.astype(np.int64)
        group["indptr"] = matrix.indptr.astype(np.int64)
        group["shape"] = np.array(matrix.shape, dtype=np.int32)
        ids, names, types = zip(*features, strict=True)
        for key, column in {"id": ids, "name": names, "feature_type": types}.items():
            group[f"features/{key}"] = np.array(column, dtype="S")
        group["features/genome"] = np.array(["GRCh38"] * len(ids), dtype="S")
    return path


def write_old_file(path, genomes=("hg19",)):
    """Write a file as Cell Ranger 2 does."""
    matrix = csc_array(COUNTS.T)
    with h5py.File(path, "w") as file:
        for genome in genomes:
            group = file.create_group(genome)
            group["barcodes"] = np.array(CELLS, dtype="S")
            group["genes"] = np.array([row[0] for row in FEATURES], dtype="S")
            group["gene_names"] = np.array([row[1] for row in FEATURES], dtype="S")
            group["data"] = matrix.data.astype(np.int32)
            group["indices"], group["indptr"] = matrix.indices, matrix.indptr
            group["shape"] = np.array(matrix.shape, dtype=np.int32)
    return path


def put(path, lines, packed):
    text = "".join(f"{line}\n" for line in lines).encode()
    Path(f"{path}.gz" if packed else path).write_bytes(gzip.compress(text) if packed else text)


def write_folder(path, packed=True, lists="features.tsv", columns=3, prefix="", packed_lists=None):
    path.mkdir()
    packed_lists = packed if packed_lists is None else packed_lists
    mmwrite(path / "plain.mtx", csc_array(COUNTS.T))
    put(path / f"{prefix}matrix.mtx", (path / "plain.mtx").read_text().splitlines(), packed)
    (path / "plain.mtx").unlink()
    rows = ["\t".join(row[:columns]) for row in FEATURES]
    put(path / f"{prefix}{lists}", rows, packed_lists)
    put(path / f"{prefix}barcodes.tsv", CELLS, packed_lists)
    return path


FORMS = {
    "file": lambda path: write_file(path / "counts.h5"),
    "packed": lambda path: write_folder(path / "packed"),
    "plain": lambda path: write_folder(path / "plain", packed=False),
    "mixed": lambda path: write_folder(path / "mixed", packed=True, packed_lists=False),
    "prefixed": lambda path: write_folder(path / "prefixed", prefix="GSM1_"),
}


@pytest.fixture(scope="module", params=FORMS)
def counts(request, tmp_path_factory):
    return FORMS[request.param](tmp_path_factory.mktemp("tenx"))


@pytest.mark.parametrize("modality", NAMES)
def test_a_feature_type_becomes_a_modality(counts, modality):
    data, _ = read_counts(counts, modality)
    assert data.X.format == "csr"
    assert data.X.has_canonical_format
    np.testing.assert_array_equal(data.X.toarray(), COUNTS[:, PLACES[modality]])
    assert list(data.obs_names) == CELLS
    assert list(data.var_names) == NAMES[modality]
    assert list(data.var["gene_ids"]) == [FEATURES[place][0] for place in PLACES[modality]]


def test_names_that_several_features_share_are_told(counts):
    _, remarks = read_counts(counts, "rna")
    assert remarks == (("1 name of several features: 'TBCE'", "their ids stand for them"),)
    assert read_counts(counts, "prot")[1] == ()


@pytest.mark.parametrize(
    ("modality", "found", "near"),
    [
        (None, "no name of a feature type", None),
        ("Antibody Captur", "no feature type 'Antibody Captur'", repr(ANTIBODIES)),
        ("hto", "no feature type 'hto'", None),
    ],
)
def test_a_feature_type_that_is_not_there(counts, modality, found, near):
    with pytest.raises(UserError) as raised:
        read_counts(counts, modality)
    (problem,) = raised.value.problems
    assert problem.where == str(counts)
    assert problem.found == found
    assert problem.allowed == (
        "one of 'Gene Expression', 'Antibody Capture', 'Peaks': name it with the key 'modality'"
    )
    assert problem.nearest == near


def test_an_only_feature_type_needs_no_name(tmp_path):
    features = [row for row in FEATURES if row[2] == ANTIBODIES]
    path = write_file(tmp_path / "adt.h5", features, COUNTS[:, [3, 5]])
    assert list(read_counts(path, "surface")[0].var_names) == ["CD3", "CD4"]
    with pytest.raises(UserError, match="no feature type 'Gene Expression'"):
        read_counts(path, "rna")


@pytest.mark.parametrize(
    "form",
    [
        lambda path: write_old_file(path / "old.h5"),
        lambda path: write_folder(path / "old", packed=False, lists="genes.tsv", columns=2),
        lambda path: write_folder(path / "old", lists="features.tsv", columns=2),
    ],
)
def test_without_feature_types_all_are_genes(form, tmp_path):
    data, remarks = read_counts(form(tmp_path), "rna")
    np.testing.assert_array_equal(data.X.toarray(), COUNTS)
    assert list(data.var_names) == ["ENSG1", "NA", "ENSG3", "ab1", "ENSG4", "CD4", "chr1:1-9"]
    assert remarks[0][0] == "2 names of several features: 'CD3', 'TBCE'"


def test_peaks_of_cell_ranger_atac(tmp_path):
    folder = write_folder(tmp_path / "peaks", packed=False)
    (folder / "features.tsv").unlink()
    rows = [f"chr1\t{place}0\t{place}9" for place in range(len(FEATURES))]
    put(folder / "peaks.bed", ["# made by hand", *rows], packed=False)
    data, _ = read_counts(folder, "atac")
    assert list(data.var_names[:2]) == ["chr1:00-09", "chr1:10-19"]
    np.testing.assert_array_equal(data.X.toarray(), COUNTS)


def test_names_alone_need_no_matrix(counts):
    listed = read_names(counts)
    assert listed.cells == CELLS
    assert list(zip(listed.ids, listed.names, listed.types, strict=True)) == FEATURES
    assert listed.places(ANTIBODIES) == [3, 5]


def test_counts_are_those_of_muon(tmp_path):
    muon = pytest.importorskip("muon")
    folder, file = write_folder(tmp_path / "packed"), write_file(tmp_path / "counts.h5")
    with annotated_files():
        whole = muon.read_10x_mtx(folder, extended=False)
    for short, part in whole.mod.items():
        for path in (folder, file):
            np.testing.assert_array_equal(read_counts(path, short)[0].X.toarray(), part.X.toarray())


def test_folders_with_and_without_a_matrix(tmp_path):
    assert is_folder(write_folder(tmp_path / "packed"))
    assert not is_folder(tmp_path)
    assert not is_folder(write_file(tmp_path / "counts.h5"))


def test_what_is_no_file_of_counts(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["weights"] = np.ones(3)
    with pytest.raises(ValueError, match="no group 'matrix'"):
        read_counts(tmp_path / "other.h5", "rna")
    with pytest.raises(ValueError, match="several genomes, hg19, mm10: one is read"):
        read_counts(write_old_file(tmp_path / "two.h5", ("hg19", "mm10")), "rna")


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ("features.tsv.gz", "no features.tsv or genes.tsv or peaks.bed in it, packed or not"),
        ("barcodes.tsv.gz", "no barcodes.tsv in it, packed or not"),
    ],
)
def test_a_folder_that_lacks_a_list(lost, told, tmp_path):
    folder = write_folder(tmp_path / "packed")
    (folder / lost).unlink()
    with pytest.raises(ValueError, match=told):
        read_counts(folder, "rna")


def test_a_folder_of_several_matrices(tmp_path):
    folder = write_folder(tmp_path / "packed")
    (folder / "other_matrix.mtx").touch()
    with pytest.raises(ValueError, match=r"several matrices, matrix.mtx.gz, other_matrix.mtx"):
        read_counts(folder, "rna")


def test_a_list_that_is_there_twice(tmp_path):
    folder = write_folder(tmp_path / "packed")
    put(folder / "barcodes.tsv", CELLS, packed=False)
    assert read_counts(folder, "rna")[0].n_obs == len(CELLS)
    put(folder / "barcodes.tsv", CELLS[::-1], packed=False)
    with pytest.raises(ValueError, match=r"barcodes.tsv and barcodes.tsv.gz, which differ"):
        read_counts(folder, "rna")


def test_a_folder_above_that_of_counts_names_it(tmp_path):
    folder = write_folder(tmp_path / "filtered_feature_bc_matrix")
    with pytest.raises(UserError) as raised:
        load_measurements(tmp_path, "rna")
    (problem,) = raised.value.problems
    assert problem.nearest == repr(str(folder))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (lambda cells: [*cells, "more"], r"a list may begin with a line of names"),
        (lambda cells: cells[:2], rf"beside {len(FEATURES)} features and 2 barcodes$"),
    ],
)
def test_a_matrix_that_is_not_of_its_lists(lines, told, tmp_path):
    folder = write_folder(tmp_path / "packed")
    put(folder / "barcodes.tsv", lines(CELLS), packed=True)
    with pytest.raises(ValueError, match=told):
        read_counts(folder, "rna")


def test_a_matrix_of_cells_by_features(tmp_path):
    folder = write_folder(tmp_path / "plain", packed=False)
    mmwrite(folder / "matrix.mtx", csc_array(COUNTS))
    with pytest.raises(ValueError, match=r"rows are to be features: transpose it"):
        read_counts(folder, "rna")
    (folder / "matrix.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n")
    with pytest.raises(ValueError, match=r"no line of sizes in matrix\.mtx"):
        read_counts(folder, "rna")


def test_a_name_of_its_own_is_kept_and_an_empty_one_is_not():
    told, remarks = unique_names(["g1", "g2", "g3", "g4"], ["A", "B", "B", ""])
    assert told == ["A", "g2", "g3", "g4"]
    assert remarks == (("1 name of several features: 'B'", "their ids stand for them"),)
    assert unique_names(["g1"], ["A"]) == (["A"], ())


def test_readers_know_files_and_folders_of_counts(counts):
    loaded = load_measurements(counts, "rna")
    assert list(loaded.table.index) == CELLS
    assert list(loaded.table.columns) == NAMES["rna"]
    assert issparse(loaded.table.values)
    assert loaded.remarks == read_counts(counts, "rna")[1]
    with pytest.raises(UserError, match="counts of cells, which hold no labels"):
        load_samples(counts)


def test_a_broken_folder_is_told_by_the_readers(tmp_path):
    folder = write_folder(tmp_path / "packed")
    put(folder / "barcodes.tsv", CELLS[1:], packed=True)
    with pytest.raises(UserError) as raised:
        load_measurements(folder, "rna")
    (problem,) = raised.value.problems
    assert problem.where == str(folder)
    assert problem.found.startswith("not readable: ")
    assert problem.allowed == "a valid folder of counts"


def test_a_folder_without_a_matrix_is_told_what_one_is(tmp_path):
    with pytest.raises(UserError, match=r"a folder with a matrix\.mtx, as Cell Ranger writes it"):
        load_measurements(tmp_path, "rna")


def test_the_content_of_a_folder_is_that_of_its_files(tmp_path):
    folder = write_folder(tmp_path / "packed")
    before = content(folder)
    (folder / "web_summary.html").touch()
    assert content(folder) == before
    put(folder / "barcodes.tsv", CELLS[::-1], packed=True)
    assert content(folder) not in {before, None}
    (folder / "barcodes.tsv.gz").unlink()
    assert content(folder) is None


def test_a_cohort_of_counts_and_labels_by_barcode(tmp_path):
    path = write_file(tmp_path / "counts.h5")
    rows = ["cell,type", *(f"{cell},{'ab'[place % 2]}" for place, cell in enumerate(CELLS))]
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    files = {
        "rna": {"path": str(path), "kind": "rna-counts"},
        "surface": {"path": str(path), "modality": ANTIBODIES, "kind": "adt"},
    }
    dataset = Dataset(samples=str(tmp_path / "labels.csv"), label="type", modalities=files)
    cohort = assemble_cohort("mine", dataset, folds=2)
    assert list(cohort.samples) == CELLS
    assert cohort.features == {"rna": tuple(NAMES["rna"]), "surface": ("CD3", "CD4")}
    found = cohort.values["surface"].table(len(CELLS))
    np.testing.assert_array_equal(found, COUNTS[:, [3, 5]])
