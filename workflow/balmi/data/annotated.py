"""Annotated files, h5ad and h5mu: their matrices, layers and what they say of samples.

anndata and mudata are imported where such a file is met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from balmi.data.files import annotated_files
from balmi.data.loaded import Loaded
from balmi.data.located import suffix
from balmi.data.numeric import NUMBERS, NumericTable
from balmi.errors import Problem, UserError, listing, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from anndata import AnnData
    from mudata import MuData

RAW = "raw"  # a layer by this name is `AnnData.raw`, where no other has it
# What an annotated file says of itself -> the ending that it should have.
_ENDINGS = {"anndata": ".h5ad", "mudata": ".h5mu"}
# What every file of an ending holds.
_HELD = {".h5ad": ("obs", "var"), ".h5mu": ("mod",)}


def check_encoding(path: Path) -> None:
    """Refuse an annotated file under another ending than its own, or another file under its own.

    Parameters
    ----------
    path
        The file; what is no HDF5 is not looked into, since its reader says so.

    Raises
    ------
    UserError
        Where the ending is not that of what the file says of itself; older files do not say, but
        hold what annotated files hold.
    """
    import h5py

    if path.is_dir() or not h5py.is_hdf5(path):
        return
    with h5py.File(path) as file:
        told, held = str(file.attrs.get("encoding-type", "")).lower(), sorted(file)
    ending = _ENDINGS.get(told)
    if ending not in (None, suffix(path)):
        found = f"{'a MuData' if ending == '.h5mu' else 'an AnnData'} file"
        raise UserError(Problem(str(path), found, f"a name that ends in {ending}"))
    needed = _HELD.get(suffix(path), held)
    if ending is None and not set(needed) <= set(held):
        found = (
            f"an HDF5 file of another program, which holds {listing(map(repr, held)) or 'nothing'}"
        )
        raise UserError(Problem(str(path), found, f"a {suffix(path)} file, with {listing(needed)}"))


def _open_h5ad(path: Path) -> AnnData:
    from anndata import read_h5ad

    check_encoding(path)
    with annotated_files():
        return read_h5ad(path)


def _open_h5mu(path: Path) -> MuData:
    from mudata import read_h5mu

    check_encoding(path)
    with annotated_files():
        return read_h5mu(path)


def _open_modality(path: Path, modality: str | None) -> AnnData:
    """Read one modality of an h5mu file, which has to be named even where it is the only one."""
    parts = _open_h5mu(path).mod
    if modality in parts:
        return parts[modality]
    allowed = f"one of {listing(parts)}: name it with the key 'modality'"
    if modality is None:
        raise UserError(Problem(str(path), "no name of a modality", allowed))
    found = f"no modality {modality!r} in the file"
    raise UserError(Problem(str(path), found, allowed, nearest(modality, parts)))


def read_annotated(path: Path, modality: str | None, layer: str | None) -> Loaded:
    """Read the matrix of an h5ad file, or of one modality of an h5mu file.

    Parameters
    ----------
    path
        The file.
    modality
        The modality of an h5mu file.
    layer
        What is read in place of ``X``, None for that; `RAW` is what AnnData calls raw.

    Raises
    ------
    UserError
        Where there is no such modality or layer, or the file is of the other kind.
    ValueError
        Where there is no ``X``.
    """
    data = _open_h5ad(path) if suffix(path) == ".h5ad" else _open_modality(path, modality)
    held: Any = data.raw if _is_raw(data, layer) else data
    values: Any = held.X if layer is None or held is not data else _layer(data, layer, path)
    if values is None:
        layers = listing(map(repr, _layers(data)))
        hint = f"; name a layer with the key 'layer', one of {layers}" if layers else ""
        raise ValueError(f"there is no X in it{hint}")
    names = data.obs_names, held.var_names
    table: pd.DataFrame | NumericTable
    if values.dtype.kind in NUMBERS:
        table = NumericTable.of(values, *names)
    else:
        table = pd.DataFrame(values.toarray() if issparse(values) else np.asarray(values), *names)
    others = tuple(name for name in _layers(data) if name != layer)
    return Loaded(table, layers=others, remarks=_types(held.var))


def _types(var: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """Say where features are of several types, which scanpy reads into one table when asked to."""
    types = var["feature_types"].dropna().unique() if "feature_types" in var else []
    if len(types) < 2:
        return ()
    found = f"features of several types: {listing(map(repr, map(str, types)))}"
    return ((found, "they are taken for one modality: a file for each of them keeps them apart"),)


def _is_raw(data: AnnData, layer: str | None) -> bool:
    """Return whether a layer is what AnnData calls raw, which may have features of its own."""
    return layer == RAW and RAW not in data.layers and data.raw is not None


def _layers(data: AnnData) -> list[str]:
    """Return the names by which layers of an annotated table can be asked for."""
    names = [name for name in data.layers if name is not None]
    return [*names, RAW] if _is_raw(data, RAW) else names


def _layer(data: AnnData, layer: str, path: Path) -> object:
    """Return one layer of an annotated table."""
    layers = _layers(data)
    if layer in data.layers:
        return data.layers[layer]
    allowed = (
        f"one of {listing(map(repr, layers))}"
        if layers
        else "no key 'layer': there is nothing beside X"
    )
    found = f"no layer {layer!r} in the file"
    raise UserError(Problem(str(path), found, allowed, nearest(layer, layers)))


def read_obs(path: Path) -> Loaded:
    """Read what an annotated file says of its samples.

    A column that lies in the ``obs`` of one modality of an h5mu file alone is read under its own
    name too, and under ``modality:column``, as mudata shows it, always.
    """
    if suffix(path) == ".h5ad":
        return Loaded(_open_h5ad(path).obs.copy())
    data = _open_h5mu(path)
    own = {name: data.obs[name] for name in data.obs.columns}
    inner = [
        (name, str(column), part.obs[column].reindex(data.obs_names))
        for name, part in data.mod.items()
        if part.obs_names.is_unique
        for column in part.obs.columns
    ]
    homes = [column for _, column, _ in inner]
    for name, column, cells in inner:
        own.setdefault(f"{name}:{column}", cells)
        if homes.count(column) == 1:
            own.setdefault(column, cells)
    return Loaded(pd.DataFrame(own, index=data.obs_names))
