"""Tables as the contract has them: their columns, their files, and what a table must hold.

The driver reads it for the paths of rules, and so it loads pandas only where a table is made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

RESULTS = "results/{dataset}"
# Every job and every start reads the contract: in C a tenth of a second faster, where it is there.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DTYPES = {"int": "int64", "float": "float64", "text": "str"}
# What `pandas.api.types.infer_dtype` calls cells of a type, empty ones left out.
KINDS = {
    "int": {"integer", "floating", "mixed-integer-float"},
    "float": {"integer", "floating", "mixed-integer-float"},
    "text": {"string"},
}


@dataclass(frozen=True)
class Column:
    """A column, or several whose names follow a pattern.

    Parameters
    ----------
    type
        int, float or text.
    meaning
        What it holds, with its unit.
    nullable
        Whether cells may be empty.
    values
        All that a cell may hold; empty where that is open.
    since
        The version that brought it, where that was not the first: tables of older versions lack it,
        and are read with empty cells there. Then it is nullable.
    """

    type: str
    meaning: str
    nullable: bool = False
    values: tuple[str, ...] = ()
    since: str | None = None

    def problems(self, cells: pd.Series) -> Iterator[str]:
        """Yield what is wrong with cells."""
        from pandas.api.types import infer_dtype

        filled = cells.dropna()
        if len(filled) < len(cells) and not self.nullable:
            yield counted(len(cells) - len(filled), "empty cell")
        if not len(filled):
            return
        if hasattr(filled, "cat"):
            filled = filled.cat.remove_unused_categories().cat.categories.to_series()
        inferred = infer_dtype(filled, skipna=True)
        if inferred not in KINDS[self.type]:
            yield f"cells of type {inferred}, not {self.type}"
            return
        if self.type == "int" and (filled.astype("float64") % 1 != 0).any():
            yield "numbers that are not whole"
        elif self.type == "float" and filled.astype("float64").abs().max() == float("inf"):
            yield "numbers that are not finite"
        if self.values and (unknown := sorted(set(filled) - set(self.values))):
            yield f"{unknown[0]!r}, none of {', '.join(self.values)}"


def _follows(name: str, pattern: str) -> bool:
    """Return whether a name is that of a column, or follows its pattern."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".+"), name, re.DOTALL) is not None


@dataclass(frozen=True)
class Table:
    """A table.

    Parameters
    ----------
    name
        What code calls it.
    file
        Its path below ``results/<dataset>/``, with the wildcards of the rule that writes it.
    rule
        That rule.
    meaning
        What it holds.
    columns
        Name, or a pattern with ``*``, -> column, in order.
    shown
        Whether the report reads it and offers it.
    measured
        Whether it holds measurements of samples, so that no page carries it.
    """

    name: str
    file: str
    rule: str
    meaning: str
    columns: Mapping[str, Column]
    shown: bool = False
    measured: bool = False

    @property
    def path(self) -> str:
        """Its path with the wildcard ``dataset``."""
        return f"{RESULTS}/{self.file}"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns that every such table has."""
        return tuple(name for name in self.columns if "*" not in name)

    @cached_property
    def textual(self) -> frozenset[str]:
        """The columns that hold text."""
        return frozenset(name for name, column in self.columns.items() if column.type == "text")

    def of(self, cells: Mapping[str, Any] | Iterable[Any]) -> pd.DataFrame:
        """Return rows, or columns by name, as a table with these columns."""
        import pandas as pd

        held = cells if isinstance(cells, Mapping) else list(cells)
        return pd.DataFrame(held, columns=list(self.names))

    def empty(self, filling: Sequence[str] = ()) -> pd.DataFrame:
        """Return the table without rows, each column of its type.

        Parameters
        ----------
        filling
            What stands for ``*``, a column each.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                name.replace("*", fill): pd.Series(dtype=DTYPES[column.type])
                for name, column in self.columns.items()
                for fill in (filling if "*" in name else ("",))
            }
        )

    def typed(self, cells: Mapping[str, Any] | Iterable[Any]) -> pd.DataFrame:
        """Do the same, and give every column the contract's type."""
        return self.of(cells).astype({name: DTYPES[self.columns[name].type] for name in self.names})

    def completed(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table of an older version with the columns that came later, which are empty."""
        later = [name for name in self.names if self.columns[name].since is not None]
        missing = [name for name in later if name not in table.columns]
        return table.assign(**dict.fromkeys(missing, float("nan"))) if missing else table

    def problems(self, table: pd.DataFrame) -> list[str]:
        """Return in what a table breaks its contract; nothing where it keeps it."""
        faults = [f"no column {name}" for name in self.names if name not in table.columns]
        for name in table.columns:
            column = self._column(str(name))
            if column is None:
                faults.append(f"column {name}: unknown")
            else:
                faults += [f"column {name}: {problem}" for problem in column.problems(table[name])]
        return faults

    def check(self, table: pd.DataFrame) -> None:
        """Refuse a table that breaks its contract.

        Raises
        ------
        ValueError
            Where it does: an error of the code that made it, not of anybody's data.
        """
        problems = self.problems(table)
        if problems:
            raise ValueError(f"{self.file} breaks its contract: {'; '.join(problems)}")

    def _column(self, name: str) -> Column | None:
        if name in self.columns:
            return self.columns[name]
        patterns = ((key, column) for key, column in self.columns.items() if "*" in key)
        return next(
            (column for key, column in patterns if _follows(name, key)),
            None,
        )

    def entry(self) -> dict[str, Any]:
        """Return what results depend on in the entry: the columns, without their meaning."""
        return {
            name: [column.type, column.nullable, list(column.values)]
            for name, column in self.columns.items()
        }


def _tables() -> dict[str, Table]:
    text = Path(__file__).with_name("contract.yaml").read_text(encoding="utf-8")
    return {
        name: Table(
            name=name,
            columns={
                column: Column(**about | {"values": tuple(about.get("values", ()))})
                for column, about in entry.pop("columns").items()
            },
            **entry,
        )
        for name, entry in yaml.load(text, LOADER).items()
    }


TABLES = _tables()
MEASURED = frozenset(name for name, table in TABLES.items() if table.measured)
SHOWN = tuple(name for name, table in TABLES.items() if table.shown)


def _always_text() -> frozenset[str]:
    """Return the names of columns that hold text in every table that has them."""
    types: dict[str, set[str]] = {}
    for table in TABLES.values():
        for name, column in table.columns.items():
            types.setdefault(name, set()).add(column.type)
    return frozenset(name for name, column_types in types.items() if column_types == {"text"})


TEXT = _always_text()


def text_headings(headings: Iterable[str], name: str | None) -> frozenset[str]:
    """Return which headings of a table are of columns that hold text.

    Parameters
    ----------
    headings
        Names of columns, also of those that follow a pattern.
    name
        The table's name in the contract; None where it is not known which table it is: then it is
        those that hold text in every table that has them.
    """
    known = TEXT if name is None else TABLES[name].textual
    return frozenset(
        heading for heading in headings if any(_follows(heading, each) for each in known)
    )


def tables_of(rule: str) -> dict[str, str]:
    """Return the tables that a rule of the workflow writes, for its output: name -> path."""
    return {name: table.path for name, table in TABLES.items() if table.rule == rule}


def columns_of(*names: str) -> dict[str, dict[str, Any]]:
    """Return what results depend on in the entries of some tables, for params: name -> entry."""
    return {name: TABLES[name].entry() for name in names}
