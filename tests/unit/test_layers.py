"""The plan of the library: imports run downwards only, those for type checkers included."""

import ast
from pathlib import Path

import balmi

LIBRARY = Path(balmi.__file__).parent
# From the ground up; rooms of one floor know nothing of each other.
FLOORS = (
    {"errors", "faults", "logs", "numerals", "place", "endings", "undrawn", "again", "tables"},
    {"config"},
    {"data"},
    {"preprocess"},
    {"information", "graph"},
    {"networks"},
    {"methods"},
    {"evaluation"},
    {"prediction"},
    {"experiments", "report"},
    {"__init__"},  # the names that a notebook finds at the top
)
MANUAL = Path("config", "document.py")
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imported(path):
    """Yield the modules of the library that a file names in imports, as parts of their names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "balmi":
            yield from (["balmi", alias.name] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")


def edges():
    """Return who imports whom, as pairs of module and parts of the imported name.

    The command that writes the manual is left out: it tells of all floors.
    """
    return [
        (path.relative_to(LIBRARY).with_suffix(""), parts)
        for path in sorted(LIBRARY.rglob("*.py"))
        if path != LIBRARY / MANUAL
        for parts in imported(path)
        if parts[0] == "balmi" and len(parts) > 1
    ]


def test_every_room_has_a_floor():
    rooms = {path.stem for path in LIBRARY.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"__pycache__"} == set(FLOOR)


def test_imports_run_downwards():
    def below(room, other):
        return room == other or FLOOR[other] < FLOOR[room] or FLOOR[room] == 0

    wrong = [f"{path} -> {'.'.join(to)}" for path, to in edges() if not below(path.parts[0], to[1])]
    assert len(edges()) > 400
    assert not wrong


def test_nothing_imports_the_command_that_writes_the_manual():
    assert (LIBRARY / MANUAL).is_file()
    assert not [path for path, to in edges() if "document" in to]


def test_no_experiment_knows_another():
    """What several experiments share lies beside their folders."""
    wrong = [
        f"{path} -> {'.'.join(to)}"
        for path, to in edges()
        if path.parts[0] == to[1] == "experiments"
        and len(path.parts) == 3
        and to[2] != path.parts[1]
        and (LIBRARY / "experiments" / to[2]).is_dir()
    ]
    assert not wrong


def test_the_kit_of_the_report_knows_no_section():
    wrong = [
        path for path, to in edges() if path.parts[:2] == ("report", "kit") and "sections" in to
    ]
    assert not wrong
