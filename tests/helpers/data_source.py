"""Tables of a small cohort, and a writer of all formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from balmi.config.settings import Dataset
from balmi.data.files import annotated_files
from balmi.data.reading import read_tables
from balmi.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNT = 24


def write_h5ad(table: pd.DataFrame, path: Path, form: Callable = np.asarray) -> None:
    from anndata import AnnData

    numeric = table.select_dtypes("number")
    obs = table.drop(columns=numeric.columns).astype(object)
    data = AnnData(form(numeric.to_numpy(dtype=float)), obs=obs)
    data.var_names = numeric.columns
    with annotated_files():
        data.write_h5ad(path)


def write_h5mu(table: pd.DataFrame, path: Path) -> None:
    from anndata import AnnData
    from mudata import MuData

    numeric = table.select_dtypes("number")
    if numeric.empty:
        numeric = pd.DataFrame({"x": 0.0}, index=table.index)
    first = AnnData(numeric.to_numpy(dtype=float), obs=pd.DataFrame(index=table.index))
    first.var_names = numeric.columns
    other = AnnData(np.ones((1, 1)), obs=pd.DataFrame(index=table.index[:1]))
    with annotated_files():
        data = MuData({"rna": first, "other": other})
        for column in table.columns.difference(numeric.columns):
            data.obs[column] = table[column].reindex(data.obs_names)
        data.write_h5mu(path)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "plain.csv": lambda table, path: table.to_csv(path),
    "upper.CSV": lambda table, path: table.to_csv(path),
    "plain.tsv": lambda table, path: table.to_csv(path, sep="\t"),
    "plain.txt": lambda table, path: table.to_csv(path, sep="\t"),
    "packed.csv.gz": lambda table, path: table.to_csv(path),
    "packed.tsv.gz": lambda table, path: table.to_csv(path, sep="\t"),
    "windows.csv": lambda table, path: table.to_csv(
        path, lineterminator="\r\n", encoding="utf-8-sig", quoting=1
    ),
    "from-r.csv": lambda table, path: (
        table.to_csv(path, header=False)
        or path.write_text(
            ",".join(f'"{name}"' for name in table.columns)
            + "\n"
            + path.read_text(encoding="utf-8"),
            encoding="utf-8",
        )
    ),
    "index.parquet": lambda table, path: table.to_parquet(path),
    "column.parquet": lambda table, path: table.reset_index().to_parquet(path, index=False),
    "dense.h5ad": write_h5ad,
    "sparse.h5ad": lambda table, path: write_h5ad(table, path, sparse.csr_matrix),
    "columns.h5ad": lambda table, path: write_h5ad(table, path, sparse.csc_matrix),
    "several.h5mu": write_h5mu,
}


class Source:
    """The files of a cohort that is in order, for tests that break them one by one."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(0)
        index = pd.Index([f"s{i:02d}" for i in range(COUNT)], name="id")
        self.folder = folder
        self.samples = pd.DataFrame(
            {
                "subtype": np.resize(["LumA", "LumB", "Her2"], COUNT),
                "patient": [f"p{i // 2:02d}" for i in range(COUNT)],
            },
            index=index,
        )
        self.modalities = {
            "rna": pd.DataFrame(
                rng.integers(0, 50, (COUNT, 3)).astype(float), index, ["g1", "g2", "g3"]
            ),
            "meth": pd.DataFrame(rng.random((COUNT, 2)).round(3), index, ["c1", "c2"]),
        }
        self.kinds = {"rna": "rna-counts", "meth": "methylation-beta"}
        self.group: str | None = None
        self.folds: list[str] = []
        self.label = "subtype"

    def dataset(self) -> Dataset:
        """Write the tables as they are now, where they are tables, and return the dataset."""
        files = {}
        for name, content in {"samples": self.samples, **self.modalities}.items():
            files[name] = self.folder / f"{name}.csv"
            if isinstance(content, pd.DataFrame):
                content.to_csv(files[name])
            elif isinstance(content, bytes):
                files[name].write_bytes(content)
            else:
                files[name] = self.folder / content
        return Dataset(
            samples=str(files["samples"]),
            label=self.label,
            group=self.group,
            folds=self.folds,
            modalities={
                name: {"path": str(files[name]), "kind": self.kinds[name]}
                for name in self.modalities
            },
        )

    def tables(self, folds: int | None = 3):
        """Read the tables."""
        return read_tables("own", self.dataset(), folds)

    def problems(self, folds: int | None = 3):
        """Return all problems of the tables."""
        with pytest.raises(UserError) as caught:
            self.tables(folds)
        return caught.value.problems

    def problem(self, folds: int | None = 3):
        """Return the one problem of the tables."""
        (found,) = self.problems(folds)
        return found


def found_in(problems, text):
    """Return the one problem whose place holds the text."""
    (found,) = [problem for problem in problems if text in problem.where]
    return found
