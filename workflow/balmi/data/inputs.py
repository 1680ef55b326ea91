"""Which files a cohort was read from, and when, so that others can tell theirs from these."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from balmi.data.cohort import INPUTS
from balmi.data.files import sha256
from balmi.data.tenx import files_of, is_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class InputFile:
    """A file that was read.

    Parameters
    ----------
    path
        As the configuration names it; of a folder of counts, every file in it.
    bytes, sha256
        Its size and checksum.
    """

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Inputs:
    """The files of a cohort.

    Parameters
    ----------
    read
        The day on which they were read, by UTC, as in 2026-11-30; None where it is not known.
    files
        The files.
    """

    read: str | None = None
    files: tuple[InputFile, ...] = ()

    @classmethod
    def of(cls, paths: Iterable[str]) -> Inputs:
        """Return what is to be known of files that were read today.

        Parameters
        ----------
        paths
            The files, or folders of counts.
        """
        files = []
        for each in paths:
            path = Path(each)
            files += files_of(path) if is_folder(path) else [path]
        return cls(
            datetime.now(UTC).date().isoformat(),
            tuple(InputFile(str(file), file.stat().st_size, sha256(file)) for file in files),
        )

    @classmethod
    def told(cls, provenance: Mapping[str, object]) -> Inputs:
        """Return what a cohort's provenance tells: nothing in older files."""
        about: dict = provenance.get(INPUTS, {})  # type: ignore[assignment]
        files = tuple(InputFile(**file) for file in about.get("files", ()))
        return cls(about.get("read"), files)

    def as_json(self) -> dict[str, object]:
        """Return it as a cohort's provenance has it."""
        return {"read": self.read, "files": [asdict(file) for file in self.files]}
