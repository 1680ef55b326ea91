"""Arrays by name in one safetensors file, with a checksum that is looked at on reading."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load, save

from balmi.data.files import reading, replace_when_written
from balmi.data.formats import FORMAT, NAMED, check_format

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER, CHECKSUM = "balmi", "sha256"
LENGTH = 8  # bytes in which the format tells how long its header is


def write_tensors(
    tensors: Mapping[str, np.ndarray], path: str | Path, header: Mapping[str, object] | None = None
) -> None:
    """Write arrays and the version of their format, whole or not at all.

    Parameters
    ----------
    tensors
        Names -> arrays.
    path
        The file. As other files it may be read by whom the umask says; the writer that comes with
        the format lets nobody else read it.
    header
        What is no array, as JSON can hold it.
    """
    stored = {name: np.asarray(value, order="C") for name, value in tensors.items()}
    text = json.dumps(header or {}, sort_keys=True)
    about = {NAMED: str(FORMAT), HEADER: text, CHECKSUM: _checksum(stored, text)}
    blob = _ordered(save(stored, metadata=about))
    with replace_when_written(path) as part:
        part.write_bytes(blob)


def _ordered(blob: bytes) -> bytes:
    """Return a file with sorted keys in its header: the library writes metadata in any order.

    Offsets of arrays count from the end of the header, so that it may change its length.
    """
    start = LENGTH + int.from_bytes(blob[:LENGTH], "little")
    text = json.dumps(json.loads(blob[LENGTH:start]), sort_keys=True, separators=(",", ":"))
    text += " " * (-len(text) % LENGTH)  # arrays stay aligned
    return len(text).to_bytes(LENGTH, "little") + text.encode() + blob[start:]


def read_tensors(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `write_tensors` wrote; return the arrays and the header.

    Raises
    ------
    UserError
        Where the file is damaged, or of another version.
    """
    with reading(path):
        blob = Path(path).read_bytes()
        stored = load(blob)
        size = int.from_bytes(blob[:LENGTH], "little")
        about = json.loads(blob[LENGTH : LENGTH + size]).get("__metadata__", {})
        check_format(path, about.get(NAMED))
        if about[CHECKSUM] != _checksum(stored, about[HEADER]):
            raise ValueError("its numbers are not those that its checksum was made of")
        # What is read from bytes cannot be changed, and training changes it.
        return {name: value.copy() for name, value in stored.items()}, json.loads(about[HEADER])


def _checksum(tensors: Mapping[str, np.ndarray], header: str) -> str:
    digest = hashlib.sha256(header.encode())
    for name, value in sorted(tensors.items()):
        digest.update(json.dumps([name, str(value.dtype), value.shape]).encode())
        digest.update(np.ascontiguousarray(value).data)
    return digest.hexdigest()
