"""Content hash of a library module and of all that it imports.

Snakemake notices an edited script, but not an edit of the library that the script calls. A rule
therefore carries this hash as a parameter. It follows the imports, so that an edit of the report
retrains nothing. It leaves out settings and contract: rules carry what they use of them as
parameters of their own, so that a new table, column or method retrains nothing. And it leaves out
trailing newlines, by which copies of one release may differ.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parents[1]
# Packages that rules carry the parts of that their results depend on.
CARRIED = ("balmi.config.", "balmi.tables.")
DATA_SUFFIXES = {".yaml", ".html", ".css", ".js", ".svg", ".txt"}


# What only type checkers see: a line, and those below it that are further in.
_FOR_CHECKERS = re.compile(r"^([ \t]*)if TYPE_CHECKING:.*\n(?:(?:\1[ \t]+\S.*)?\n)*", re.MULTILINE)
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(balmi[\w.]*)[ \t]+)?import[ \t]+(?:\(([^)]*)\)|([^\n#;]*))", re.MULTILINE
)
_COMMENT = re.compile("#.*")
_TEXT = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""', re.DOTALL)


@cache
def _files(library: Path) -> dict[str, Path]:
    """Return the files of the library's modules by their dotted names."""
    found = {}
    for path in library.rglob("*.py"):
        parts = path.relative_to(library.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _own(module: str) -> Path:
    """Return the file of a balmi module that has to be there."""
    file = _files(LIBRARY).get(module)
    if file is None:
        raise ModuleNotFoundError(f"no module {module!r}", name=module)
    return file


@cache
def _imported(text: str) -> frozenset[str]:
    """Return the dotted names of balmi that a text imports, and the packages above them.

    By its lines: parsing the whole library would take longer than all else that Snakemake does
    before the first job. Kept by text, since most scripts share most of the library.
    """
    named: set[str] = set()
    code = _FOR_CHECKERS.sub("", _TEXT.sub("", f"{text}\n"))
    for source, *names in _IMPORT.findall(code):
        words = {
            name.split()[0] for name in _COMMENT.sub("", "".join(names)).split(",") if name.strip()
        }
        named |= {source, *(f"{source}.{word}" for word in words)} if source else words
    return frozenset(
        ".".join(name.split(".")[: i + 1]) for name in named for i in range(name.count(".") + 1)
    )


def imports(path: Path) -> frozenset[str]:
    """Return the balmi modules that a file imports when it runs, anywhere in its text.

    An import has a line of its own, as the style demands.
    """
    return _imported(path.read_text(encoding="utf-8")) & _files(LIBRARY).keys()


def dependencies(*modules: str) -> list[str]:
    """Return the given modules and every balmi module that they import, but for the settings."""
    found: set[str] = set()
    waiting = set(modules)
    while waiting:
        module = waiting.pop()
        carried = module == "balmi" or f"{module}.".startswith(CARRIED)
        if module not in found and not carried:
            found.add(module)
            waiting |= imports(_own(module))
    return sorted(found)


@cache
def code_hash(script: Path) -> str:
    """Return the hash of all library modules that a script needs, and of the files beside them.

    Parameters
    ----------
    script
        The script's file. Its own text is left to Snakemake.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    files = {_own(module) for module in dependencies(*imports(script))}
    files |= {
        path
        for folder in {path.parent for path in files} - {LIBRARY}
        for path in folder.rglob("*")
        if path.suffix in DATA_SUFFIXES
    }
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(LIBRARY).as_posix().encode() + b"\0")
        digest.update(path.read_bytes().rstrip(b"\r\n") + b"\0")
    return digest.hexdigest()[:16]
