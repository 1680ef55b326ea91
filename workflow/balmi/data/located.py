"""What lies at a path: whether it is there, how large it is, and how it begins."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from balmi.data.delimited import UTF8, opened
from balmi.data.tenx import files_of, is_folder
from balmi.errors import Problem, UserError, nearest, shown

HDF5, PARQUET, _GZIP = b"\x89HDF\r\n\x1a\n", b"PAR1", b"\x1f\x8b"
_UNPACK = "a table as text: unpack it first; only .gz is read packed"
_TAR, _TAR_AT = b"ustar", 257  # where a tar archive says that it is one
FOLDER = "folder"  # in place of an ending
_EXPORT = "a table as text: open it in the program that wrote it and save it as CSV in UTF-8"
_FETCH = "a table as text: fetch the file again; what came is not the file itself"
# Endings of formats that are not read -> what first has to become of such a file.
ADVICE: dict[str, str] = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"), "saved as CSV in UTF-8"),
    **dict.fromkeys((".rds", ".rda", ".rdata"), "written as CSV by R"),
    **dict.fromkeys((".bz2", ".xz", ".zip", ".zst", ".7z", ".tar", ".tgz", ".z"), "unpacked"),
    **dict.fromkeys((".feather", ".arrow", ".pkl", ".npy", ".mat"), "written as Parquet or CSV"),
    **dict.fromkeys((".loom", ".h5seurat", ".hdf5", ".zarr"), "written as .h5ad"),
    **dict.fromkeys((".gct", ".maf", ".vcf"), "made a table with a row for every sample"),
    ".mtx": "named by its folder, where its lists of features and barcodes lie too",
}
# How files begin that bear the ending of another format -> what they are, what to do.
_BEGINNINGS: dict[bytes, tuple[str, str]] = {
    b"\xff\xfe": ("text in UTF-16", UTF8),
    b"\xfe\xff": ("text in UTF-16", UTF8),
    b"pk\x03\x04": ("a zip archive, or an Excel workbook", _EXPORT),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", _EXPORT),
    b"{\\rtf": ("a document of a word processor (RTF)", _EXPORT),
    b"%pdf": ("a PDF", _EXPORT),
    b"<!doctype": ("a web page", _FETCH),
    b"<html": ("a web page", _FETCH),
    b"<?xml": ("XML", _EXPORT),
    b"version https://git-lfs": ("a pointer of Git LFS", "the file itself: run `git lfs pull`"),
    b"bzh": ("a bzip2 archive", _UNPACK),
    b"\xfd7zxz": ("an xz archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("a zstd archive", _UNPACK),
    _GZIP: ("a gzip archive", "a name that ends in .gz where text is packed, once; else unpack it"),
    HDF5.lower(): (
        "an HDF5 file",
        "a name that ends in .h5ad, .h5mu or .h5, as it is",
    ),
    PARQUET.lower(): ("a Parquet file", "a name that ends in .parquet where the file is one"),
}


def suffix(path: str | Path) -> str:
    """Return the file's ending in lower case, without a trailing ``.gz``; of a folder, its name.

    A folder of counts, of whatever name, has the format `FOLDER`.
    """
    if is_folder(Path(path)):
        return FOLDER
    return Path(str(path).lower().removesuffix(".gz")).suffix


def size_of(path: str | Path) -> int:
    """Return the bytes of a file, or of all files of a folder of counts.

    What is not there, or cannot be looked at, has none: whoever reads it says why.
    """
    path = Path(path)
    try:
        files = files_of(path) if is_folder(path) else [path]
        return sum(file.stat().st_size for file in files if file.is_file())
    except (OSError, ValueError):  # a folder of counts may lack a file
        return 0


def _what_lies_there(path: Path, missing: Path) -> tuple[str, str]:
    """Return what is found in place of a file, and what is allowed."""
    plain = os.path.expanduser(os.path.expandvars(str(path)))
    if plain != str(path) or str(path).startswith("~"):
        there = "" if not Path(plain).exists() else f", here {plain}"
        allowed = f"the path in full{there}: ~ and $VARIABLES are not expanded in a configuration"
        return "no such file", allowed
    if re.match(r"\w{2,}:/", str(path)):
        return "an address on the web", "a file: download it, and name it here"
    if path.is_symlink():
        return f"a link to {os.readlink(path)}, which does not exist", "an existing file"
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        above = "" if missing == path else f", since there is no folder {str(missing)!r}"
        here = "" if path.is_absolute() else f" (paths count from {Path.cwd()})"
        return f"no such file{above}", f"an existing file{here}"
    if stat.S_ISDIR(mode):
        return "a folder", "a file, or a folder with a matrix.mtx, as Cell Ranger writes it"
    return (
        "a pipe or a device, which can be read only once",
        "a file: it is read when it is checked, and again by a job; write it to a file first",
    )


def _first_that_is_missing(path: Path) -> Path:
    """Return the path, or the highest folder above it that is not there."""
    while not path.parent.exists() and path.parent != path.parent.parent:
        path = path.parent
    return path


def check_there(path: Path) -> None:
    """Refuse a path at which there is no file that can be read, nor a folder of counts."""
    try:
        exists = path.is_file() or is_folder(path)
        missing = _first_that_is_missing(path)
        found, allowed = ("", "") if exists else _what_lies_there(path, missing)
        # Of a folder or a broken link in the place of a file others of its name are no help.
        looked = missing.parent.is_dir() and not os.path.lexists(missing)
        beside = list(missing.parent.iterdir()) if looked else []
    except OSError as error:  # a folder without permission, a name that is too long
        raise UserError(
            Problem(shown(str(path)), str(error.strerror), "a readable file")
        ) from error
    if not exists:
        paths = {repr(other.name): repr(str(other)) for other in beside}
        near = nearest(missing.name, [other.name for other in beside])
        inside = sorted(filter(is_folder, path.iterdir())) if path.is_dir() else []
        likely = repr(str(inside[0])) if inside else paths.get(str(near))
        raise UserError(Problem(str(path), found, allowed, likely))


def check_beginning(path: Path, own: bytes) -> None:
    """Refuse a file whose first bytes are those of another format than its ending's.

    Parameters
    ----------
    path
        The file; folders are not looked at.
    own
        How every file of its ending begins; nothing where it is text, which may be packed.
    """
    if path.is_dir():
        return
    own = own.lower()
    with path.open("rb") if own else opened(path) as file:
        read = file.read(_TAR_AT + len(_TAR))
    head = read.lstrip().lower()
    if own and head.startswith(own):
        return
    for beginning, (found, allowed) in _BEGINNINGS.items():
        if head.startswith(beginning):
            raise UserError(Problem(str(path), found, allowed))
    if read[_TAR_AT:] == _TAR:
        raise UserError(Problem(str(path), "a tar archive", _UNPACK))
    if not own and head.count(b"\0") > len(head) / 4:
        raise UserError(Problem(str(path), "text in UTF-16, or no text at all", UTF8))
