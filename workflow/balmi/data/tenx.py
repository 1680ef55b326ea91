"""Read what Cell Ranger and its like write: an HDF5 file, or a folder in Matrix Market form.

Either holds counts of all feature types, genes, antibodies and peaks, which muon parts into
modalities. Names are read here, without muon, as text: a gene called NA is one, and whoever needs
names alone needs no matrix.
"""

from __future__ import annotations

import gzip
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from balmi.data.files import annotated_files
from balmi.errors import Problem, UserError, first_of, listing, nearest
from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import h5py
    from anndata import AnnData
    from mudata import MuData

GENES, PEAKS = "Gene Expression", "Peaks"
# How modalities of a feature type are called: by muon, and of antibodies by others too.
SHORT = {"rna": GENES, "prot": "Antibody Capture", "adt": "Antibody Capture", "atac": PEAKS}
MATRIX = "matrix.mtx"
BARCODES = "barcodes.tsv"
FEATURES = ("features.tsv", "genes.tsv", "peaks.bed")
SHOWN_NAMES = 3


@dataclass(frozen=True)
class Names:
    """Names of the cells and features of a file, in its order.

    Parameters
    ----------
    cells
        Barcodes.
    ids, names, types
        Id, name and feature type of every feature; (features,).
    """

    cells: list[str]
    ids: list[str]
    names: list[str]
    types: list[str]

    def places(self, feature_type: str) -> list[int]:
        """Return where the features of one type stand."""
        return [place for place, found in enumerate(self.types) if found == feature_type]


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder with a matrix in it."""
    return path.is_dir() and bool(_matrices(path))


def files_of(folder: Path) -> list[Path]:
    """Return the files of a folder: the matrix, the features, the barcodes.

    Raises
    ------
    ValueError
        Where one of them is not there, several matrices are, or a list is there twice and differs.
    """
    matrix = _only_matrix(folder)
    return [matrix, _beside(matrix, FEATURES), _beside(matrix, (BARCODES,))]


def _matrices(folder: Path) -> list[Path]:
    return sorted([*folder.glob(f"*{MATRIX}"), *folder.glob(f"*{MATRIX}.gz")])


def read_names(path: Path) -> Names:
    """Read the names of cells and features, and no counts.

    Parameters
    ----------
    path
        The HDF5 file, or the folder.

    Raises
    ------
    ValueError
        Where it is neither.
    """
    return _names_of_folder(path) if path.is_dir() else _names_of_file(path)


def _names_of_file(path: Path) -> Names:
    import h5py

    with h5py.File(path) as file:
        if "matrix/features" in file:  # since Cell Ranger 3
            group = file["matrix"]
            features = group["features"]
            key = "gene_id" if "gene_id" in features else "id"
            ids, names, types = (_texts(features[name]) for name in (key, "name", "feature_type"))
        else:
            group = _only_genome(file)
            ids, names = _texts(group["genes"]), _texts(group["gene_names"])
            types = [GENES] * len(ids)
        return Names(_texts(group["barcodes"]), ids, names, types)


def _texts(names: h5py.Dataset) -> list[str]:
    return [bytes(name).decode("utf-8") for name in names]


def _only_genome(file: h5py.File) -> h5py.Group:
    """Return the group of a file as Cell Ranger 2 wrote it, which has one per genome."""
    genomes = [name for name in file if f"{name}/gene_names" in file]
    if not genomes:
        raise ValueError(
            "it holds no counts as Cell Ranger writes them (no group 'matrix'); the file is"
            " called filtered_feature_bc_matrix.h5, or the like"
        )
    if len(genomes) > 1:
        raise ValueError(f"it holds several genomes, {listing(genomes)}: one is read")
    return file[genomes[0]]


def _beside(matrix: Path, names: tuple[str, ...]) -> Path:
    """Return the file of one of some names that belongs to a matrix, packed or not."""
    prefix = matrix.name.removesuffix(".gz").removesuffix(MATRIX)
    for name in names:
        plain = matrix.with_name(f"{prefix}{name}")
        packed = plain.with_name(f"{plain.name}.gz")
        there = [path for path in (plain, packed) if path.is_file()]
        if len(there) > 1 and [*_lines(plain)] != [*_lines(packed)]:
            raise ValueError(
                f"it holds {plain.name} and {packed.name}, which differ: one has to go"
            )
        if there:
            return there[0]
    raise ValueError(f"no {prefix}{' or '.join(names)} in it, packed or not")


def _only_matrix(folder: Path) -> Path:
    matrices = _matrices(folder)
    if len(matrices) > 1:
        raise ValueError(f"it holds several matrices, {listing(path.name for path in matrices)}")
    if not matrices:
        raise ValueError(f"no {MATRIX} in it, packed or not")
    return matrices[0]


def _lines(path: Path) -> Iterator[str]:
    packed = path.suffix == ".gz"
    with (gzip.open if packed else open)(path, "rt", encoding="utf-8") as file:
        yield from (line.rstrip("\r\n") for line in file if line.strip())


def _check_shape(matrix: Path, listed: Names) -> None:
    """Refuse a matrix that is not of its lists: transposed, or with a header in a list.

    Raises
    ------
    ValueError
        Where it is not.
    """
    sizes = next((line.split() for line in _lines(matrix) if not line.startswith("%")), [])
    if len(sizes) < 2 or not all(map(str.isdecimal, sizes)):
        raise ValueError(f"no line of sizes in {matrix.name}")
    found, wanted = (int(sizes[0]), int(sizes[1])), (len(listed.ids), len(listed.cells))
    if found == wanted:
        return
    hint = " (rows are to be features: transpose it)" if found == wanted[::-1] else ""
    above = [list_ - size for list_, size in zip(wanted, found, strict=True)]
    if sorted(above) in ([0, 1], [1, 1]):
        hint = " (a list may begin with a line of names, which has to go)"
    raise ValueError(
        f"a matrix of {found[0]:,} x {found[1]:,} beside {counted(wanted[0], 'feature')} and"
        f" {counted(wanted[1], 'barcode')}{hint}"
    )


def _names_of_folder(folder: Path) -> Names:
    _, features, barcodes = files_of(folder)
    peaks = ".bed" in features.suffixes
    rows = [line.split("\t") for line in _lines(features) if not (peaks and line[0] == "#")]
    if peaks:
        ids = [f"{row[0]}:{row[1]}-{row[2]}" for row in rows]
        names, types = ids, [PEAKS] * len(ids)
    else:
        ids, names = [row[0] for row in rows], [row[min(1, len(row) - 1)] for row in rows]
        types = [row[2] if len(row) > 2 else GENES for row in rows]
    cells = [line.split("\t")[0] for line in _lines(barcodes)]
    return Names(cells, ids, names, types)


def feature_type(path: Path, listed: Names, modality: str | None) -> str:
    """Return the feature type that a modality is.

    Parameters
    ----------
    path
        The file, for messages.
    listed
        What is in it.
    modality
        A feature type, whatever its case; or a short name of one, ``rna``, ``adt`` or
        ``prot``, ``atac``. A file with one type alone is that, where the modality is none of
        these.

    Raises
    ------
    UserError
        Where the file holds none of it.
    """
    found = list(dict.fromkeys(listed.types))
    wanted = SHORT.get(str(modality), str(modality))
    alike = [name for name in found if name.casefold() == wanted.casefold()]
    if alike:
        return alike[0]
    if len(found) == 1 and wanted not in SHORT.values():
        return found[0]
    raise UserError(
        Problem(
            str(path),
            "no name of a feature type" if modality is None else f"no feature type {wanted!r}",
            f"one of {listing(map(repr, found))}: name it with the key 'modality'",
            nearest(wanted, found),
        )
    )


def unique_names(ids: list[str], names: list[str]) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """Return a name for every feature, and what to say of those that share one.

    Parameters
    ----------
    ids, names
        Of the features of one type. An id stands for a name that occurs twice, or is empty.
    """
    counts = Counter(names)
    alone = [counts[name] == 1 and name.strip() != "" for name in names]
    told = [
        name if single else feature for feature, name, single in zip(ids, names, alone, strict=True)
    ]
    shared = [name for name, count in counts.items() if count > 1]
    if not shared:
        return told, ()
    several = first_of(shared, SHOWN_NAMES)
    found = f"{counted(len(shared), 'name')} of several features: {several}"
    return told, ((found, "their ids stand for them"),)


def read_counts(path: Path, modality: str | None) -> tuple[AnnData, tuple[tuple[str, str], ...]]:
    """Read the counts of one feature type.

    Parameters
    ----------
    path
        The HDF5 file, or the folder.
    modality
        The feature type (`feature_type`).

    Returns
    -------
    data
        Cells by features, CSR; ``var`` holds ``gene_ids``.
    remarks
        What to say of it, each a pair: what was found, what was done.

    Raises
    ------
    UserError
        Where there is no such feature type.
    ValueError
        Where it is no such file, or a broken one.
    """
    import pandas as pd

    listed = read_names(path)
    chosen = feature_type(path, listed, modality)
    places = listed.places(chosen)
    with annotated_files():
        parts = _read_folder(path, listed) if path.is_dir() else _read_file(path)
        data = _part(parts, chosen, places)
    ids = [listed.ids[place] for place in places]
    names, remarks = unique_names(ids, [listed.names[place] for place in places])
    data.X = data.X.tocsr()  # of a folder it is the transpose of what was read
    data.X.sum_duplicates()
    data.obs = pd.DataFrame(index=pd.Index(listed.cells, dtype=str))
    data.var = pd.DataFrame({"gene_ids": ids}, index=pd.Index(names, dtype=str))
    return data, remarks


def _part(parts: MuData, feature_type: str, places: list[int]) -> AnnData:
    """Return the modality of a feature type, which muon does not know of Cell Ranger 2."""
    for part in parts.mod.values():
        if "feature_types" not in part.var:
            return part[:, places].copy()
        if part.var["feature_types"].iloc[0] == feature_type:
            return part
    raise ValueError(f"no feature type {feature_type!r}")


def _muon() -> ModuleType:
    """Return muon; it warns of other libraries while it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import muon
    return muon


def _read_file(path: Path) -> MuData:
    return _muon().read_10x_h5(path, extended=False)


def _read_folder(folder: Path, listed: Names) -> MuData:
    """Read a folder in any form by handing muon one as Cell Ranger 3 writes it, or 2 if unpacked.

    The matrix is linked to; the lists, which are short, are written anew with numbers for names.
    """
    matrix = _only_matrix(folder)
    _check_shape(matrix, listed)
    packed = matrix.suffix == ".gz"
    ending, write = (".gz", gzip.open) if packed else ("", open)
    features = [f"f{place}\tf{place}\t{kind}\n" for place, kind in enumerate(listed.types)]
    lists = {
        "features.tsv" if packed else "genes.tsv": features,
        BARCODES: [f"c{place}\n" for place in range(len(listed.cells))],
    }
    with TemporaryDirectory() as place:
        Path(place, MATRIX + ending).symlink_to(matrix.resolve())
        for name, lines in lists.items():
            with write(Path(place, name + ending), "wt", encoding="utf-8") as file:
                file.writelines(lines)
        return _muon().read_10x_mtx(place, extended=False)
