"""What a page may tell of where files lie: never a folder of the machine that made it.

Pages are passed on. A path names the people, projects and machines of those who made them, and says
nothing to those who read them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from pandas.api.types import is_numeric_dtype

from balmi.data.cohort import INPUTS
from balmi.data.inputs import Inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

# Columns of free text, which may hold the message of an error with a path in it.
TOLD = ("reason", "detail", "value")
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
# An absolute path with a folder in it, also below ~ or a variable; not the path of an address, and
# not two words with a stroke between them.
WITH_FOLDERS = re.compile(
    r"(?<![\w./~$}\\-])(?!//)(?:(?:~[\w.-]*|\$\{?\w+\}?)?(?:/[^\s/'\"`<>|,;:()]+){2,}/?"
    r"|(?:~[\w.-]*|\$\{?\w+\}?)/[^\s/'\"`<>|,;:()]+/?"
    r"|[A-Za-z]:\\[^\s'\"`<>|,;()]+)"
)
ABSOLUTE = re.compile(r"^(?:/|~|\$|[A-Za-z]:[\\/])")


def _name(path: str) -> str:
    """Return the last part of a path."""
    windows = re.match(r"^[A-Za-z]:", path) is not None
    return (PureWindowsPath(path) if windows else PurePosixPath(path)).name or path


class Shown:
    """Paths as a page shows them: relative to a folder where they lie below it, else their name.

    Parameters
    ----------
    folder
        The folder of the run.
    settings
        The configuration, whose absolute paths are known to be such, blanks and all.
    """

    def __init__(self, folder: Path, settings: object) -> None:
        self._folder = str(folder)
        found = {text for text in _texts(settings) if ABSOLUTE.match(text) and "/" in text[1:]}
        self._known = sorted(found, key=len, reverse=True)
        folders = {f"{PurePosixPath(path).parent}/" for path in found} - {"/", "~/"}
        self._folders = [f"{self._folder}/", *sorted(folders, key=len, reverse=True)]

    def path(self, path: str | Path) -> str:
        """Return one path as it is shown."""
        text = str(path)
        if not ABSOLUTE.match(text):
            return text
        below = Path(text).is_relative_to(self._folder)
        return str(Path(text).relative_to(self._folder)) if below else _name(text)

    def text(self, text: str) -> str:
        """Return a text with every absolute path in it as it is shown, and no credentials."""
        text = text.replace("file://", "")
        for known in self._known:
            text = text.replace(known, self.path(known))
        for folder in self._folders:
            text = text.replace(folder, "")
        text = WITH_FOLDERS.sub(lambda found: _name(found[0]), text)
        return CREDENTIALS.sub("", text)

    def settings(self, value: Any) -> Any:
        """Return part of a configuration with its paths as they are shown."""
        if isinstance(value, dict):
            return {key: self.settings(held) for key, held in value.items()}
        if isinstance(value, list | tuple):
            return [self.settings(held) for held in value]
        return self.text(value) if isinstance(value, str) else value

    def table(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table whose columns of free text tell no folder."""
        columns = [name for name in TOLD if name in table and not is_numeric_dtype(table[name])]
        cleaned = {
            name: [self.text(cell) if isinstance(cell, str) else cell for cell in table[name]]
            for name in columns
        }
        return table.assign(**cleaned)

    def provenance(self, provenance: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known of a cohort's origin, warnings and files as they are shown."""
        warnings = [self.text(str(text)) for text in provenance.get("warnings", ())]
        inputs = Inputs.told(provenance)
        files = tuple(replace(each, path=self.path(each.path)) for each in inputs.files)
        told = replace(inputs, files=files).as_json()
        return {**provenance, "warnings": warnings, INPUTS: told}


def _texts(value: object) -> Iterator[str]:
    """Yield every text of a configuration."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for held in value.values():
            yield from _texts(held)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from _texts(held)
