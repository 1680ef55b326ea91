"""The files of a final model: found in a folder or a zip, and looked at before anything is read.

Nothing of a model is run: it is JSON and arrays, with the checksum of each file beside them. What
has another form, such as a pickle, is refused unread.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from balmi.data.files import replace_when_written, sha256
from balmi.data.formats import KEY
from balmi.errors import Problem, UserError, listing, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 1
MODEL, ARRAYS, EVALUATION, CARD, SUMS = (
    *("model.json", "arrays.safetensors", "evaluation.json", "CARD.md", "SHA256SUMS"),
)
FOLDER = "model"  # inside a zip
SUMMED = (MODEL, ARRAYS, EVALUATION, CARD)
READ = (MODEL, ARRAYS, EVALUATION)  # what predictions depend on
LARGEST = 2 * 10**9  # bytes of a file inside a zip
NEEDED = ("balmi", "method", "dataset", "reason")  # keys of `MODEL`, where there is no model too
_PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".rds", ".rda")
_ALLOWED = (
    f"a folder with {MODEL}, {ARRAYS}, {EVALUATION} and {SUMS}, as `results/(dataset)/model` holds"
    " them, or a zip file of it"
)


def write_sums(folder: Path) -> None:
    """Write the checksums of a model's files, as ``sha256sum -c`` reads them."""
    lines = [f"{sha256(folder / name)}  {name}\n" for name in SUMMED]
    with replace_when_written(folder / SUMS) as part:
        part.write_text("".join(lines), encoding="utf-8")


def write_zip(folder: Path, path: Path) -> None:
    """Pack a model; the same model gives the same bytes."""
    with (
        replace_when_written(path) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in (*SUMMED, SUMS):
            info = zipfile.ZipInfo(f"{FOLDER}/{name}")
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(info, (folder / name).read_bytes())


def packed_checksum(path: Path, name: str = MODEL) -> str:
    """Return the checksum of a file of a packed model: wherever the model lies, it is the same.

    Parameters
    ----------
    path
        The zip file.
    name
        The file. What a model says of itself names the checksum of its arrays.
    """
    with zipfile.ZipFile(path) as packed:
        return hashlib.sha256(packed.read(f"{FOLDER}/{name}")).hexdigest()


def packed_manifest(path: Path) -> dict[str, Any]:
    """Return what a model that `write_zip` has packed says of itself."""
    with zipfile.ZipFile(path) as packed:
        return json.loads(packed.read(f"{FOLDER}/{MODEL}"))


@contextmanager
def opened(path: str | Path, where: str) -> Iterator[Path]:
    """Give the folder of a model that is whole.

    Parameters
    ----------
    path
        The folder, or a zip file of it.
    where
        The key that names it, for messages.

    Raises
    ------
    UserError
        Where there is none, it is damaged, or of another form.
    """
    path, where = Path(path), f"{where}: {path}"
    if path.is_dir():
        _check_whole(path, where)
        yield path
        return
    _check_file(path, where)
    with tempfile.TemporaryDirectory() as name:
        _unpack(path, Path(name), where)
        _check_whole(Path(name), where)
        yield Path(name)


def _check_file(path: Path, where: str) -> None:
    if not path.is_file():
        raise UserError(Problem(where, "nothing", _ALLOWED))
    with path.open("rb") as file:
        head = file.read(4)
    if path.suffix.lower() in _PICKLES or head[:1] == b"\x80":
        found = "a pickle or another program's own form, which may run any code when it is read"
        raise UserError(Problem(where, found, _ALLOWED))
    if path.name in (*SUMMED, SUMS):
        raise UserError(Problem(where, "one file of a model", f"{path.parent}: its folder"))
    if not zipfile.is_zipfile(path):
        cut = "an empty file" if not head else "a zip file that is cut off or damaged"
        packed = not head or head.startswith(b"PK")
        raise UserError(Problem(where, cut if packed else "no zip file, nor a folder", _ALLOWED))


def _unpack(path: Path, folder: Path, where: str) -> None:
    """Write the files of a model, and no other, from a zip file into a folder."""
    try:
        with zipfile.ZipFile(path) as packed:
            for info in packed.infolist():
                name = Path(info.filename).name
                if name not in (*SUMMED, SUMS) or info.is_dir() or (folder / name).exists():
                    continue
                if info.file_size > LARGEST:
                    found = f"{name} of {info.file_size:,} bytes"
                    raise UserError(Problem(where, found, f"at most {LARGEST:,} bytes"))
                (folder / name).write_bytes(packed.read(info))
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise UserError(Problem(where, f"a damaged zip file ({error})", _ALLOWED)) from error


def _check_whole(folder: Path, where: str) -> None:
    """Refuse a folder that is not what was written."""
    lacking = [name for name in (*READ, SUMS) if not (folder / name).is_file()]
    if lacking:
        strange = [file.name for file in folder.iterdir() if file.suffix.lower() in _PICKLES]
        found = f"no {listing(lacking)}" + (
            f", but {listing(strange)}: a pickle may run any code, and is not read"
            if strange
            else ""
        )
        inside = folder / FOLDER
        near = repr(str(inside)) if (inside / MODEL).is_file() else None
        raise UserError(Problem(where, found, _ALLOWED, near))
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    told = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    changed = [name for name in READ if told.get(name) != sha256(folder / name)]
    if changed:
        found = f"a damaged model: {listing(changed)} is not what its checksum was made of"
        raise UserError(Problem(where, found, "the files as they were written: copy them again"))


def read_manifest(folder: Path, where: str) -> dict[str, Any]:
    """Return what a model says of itself, from a folder that `opened` gave.

    Parameters
    ----------
    folder
        The folder.
    where
        The key that names it, for messages.

    Raises
    ------
    UserError
        Where it is of a newer format, none, or there is no model but the reason why.
    """
    try:
        about = json.loads((folder / MODEL).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(Problem(where, f"{MODEL}, which is no JSON ({error})", _ALLOWED)) from error
    version = about.get(KEY) if isinstance(about, dict) else None
    if not isinstance(version, int) or version < 1:
        raise UserError(Problem(where, f"{MODEL} of no format: {shown(version)}", _ALLOWED))
    if version > FORMAT:
        found = f"format {version} of a model, written by balmi {about.get('balmi', '(unknown)')}"
        allowed = f"formats up to {FORMAT}, which this balmi reads: update it"
        raise UserError(Problem(where, found, allowed))
    lacking = [key for key in NEEDED if key not in about]
    if lacking:
        raise UserError(Problem(where, f"{MODEL} without {listing(lacking)}", _ALLOWED))
    if about["reason"] is not None:
        found = f"no model, since {about['method']} gave none on the cohort: {about['reason']}"
        raise UserError(Problem(where, found, "a model of another final.method"))
    return about
