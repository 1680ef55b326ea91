"""What a file of the user's holds, as a checksum that is computed once and then remembered.

Times do not tell whether a file has changed: one that is copied over it with its own older date is
older, and one that was touched or copied is newer and holds the same. So jobs that read files of
the user's carry this checksum among their parameters.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from balmi.data.files import read_json, sha256, write_json
from balmi.data.tenx import files_of, is_folder
from balmi.errors import UserError

LARGEST = 10**9  # bytes; reading more at every change would cost minutes
SETTLED = 2 * 10**9  # nanoseconds after which a second change has another time on any file system


def content(path: str | Path, memory: Path | None = None, largest: int = LARGEST) -> str | None:
    """Return what tells one content of a file from another.

    Parameters
    ----------
    path
        The file, or a folder of counts (`balmi.data.tenx`), of which the three files count.
    memory
        A folder in which checksums are kept, so that a file is read once; None reads always.
    largest
        Size in bytes above which size and time stand for the content.

    Returns
    -------
    str or None
        The checksum in hexadecimal digits; for a file above `largest`, and for what is no regular
        file, its size and time in words. None where there is none that can be read.
    """
    try:
        state = os.stat(path)
        if is_folder(Path(path)):
            return _of_folder(Path(path), memory, largest)
        if not stat.S_ISREG(state.st_mode) or state.st_size > largest:
            return f"{state.st_size} bytes of {state.st_mtime_ns}"
        return sha256(path) if memory is None else _remembered(path, state, memory)
    except (OSError, ValueError):  # missing or not to be read, which whoever reads it says
        return None


def _of_folder(folder: Path, memory: Path | None, largest: int) -> str:
    """Return what tells one content of a folder of counts from another."""
    told = [[file.name, content(file, memory, largest)] for file in files_of(folder)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _remembered(path: str | Path, state: os.stat_result, memory: Path) -> str:
    """Return a file's checksum, from memory where the file is as it was then."""
    # The time at which a file's entry last changed cannot be set, unlike that of its content.
    seen = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
    kept = memory / hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:24]
    with suppress(OSError, UserError, KeyError, TypeError):  # no memory, or a damaged one
        remembered = read_json(kept)
        if remembered["seen"] == seen:
            return str(remembered["sha256"])
    found = sha256(path)
    if time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) > SETTLED:
        write_json({"seen": seen, "sha256": found}, kept)
    return found
