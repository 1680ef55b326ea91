"""Content hash of a library module and of all that it imports.

Snakemake notices an edited script, but not an edit of the library that the script calls. A rule
therefore carries this hash as a parameter. It follows the imports, so that an edit of the report
retrains nothing. It leaves out settings and contract: rules carry what they use of them as
parameters of their own, so that a new table, column or method retrains nothing. And it leaves out
trailing newlines, by which copies of one release may differ.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARY = Path(__file__).parents[1]
# Packages that rules carry the parts of that their results depend on.
CARRIED = ("balmi.config.", "balmi.tables.")
DATA_SUFFIXES = {".yaml", ".html", ".css", ".js", ".svg", ".txt"}


def _file(module: str) -> Path | None:
    """Return the file of a dotted balmi module, or None where there is no such module."""
    base = LIBRARY.joinpath(*module.split(".")[1:])
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


def _own(module: str) -> Path:
    """Return the file of a balmi module that has to be there."""
    file = _file(module)
    if file is None:
        raise ModuleNotFoundError(f"no module {module!r}", name=module)
    return file


def _run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those that only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _run_time_nodes(node)


@cache
def _imported(text: str) -> frozenset[str]:
    """Return the dotted names that a module's text imports, and the packages above them.

    Kept by text, since most scripts share most of the library and parsing is what costs.
    """
    named: set[str] = set()
    for node in _run_time_nodes(ast.parse(text)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(
        ".".join(name.split(".")[: i + 1]) for name in named for i in range(name.count(".") + 1)
    )


def imports(path: Path) -> frozenset[str]:
    """Return the balmi modules that a file imports when it runs, anywhere in its text."""
    found = _imported(path.read_text(encoding="utf-8"))
    return frozenset(name for name in found if name.split(".")[0] == "balmi" and _file(name))


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
