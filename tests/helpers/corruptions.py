"""Ways in which tables come to users: a good cohort, and what programs and people do to its files.

A corruption of text changes the lines of a CSV or TSV file; one of tables changes a data frame that
is then written in any format.
"""

from __future__ import annotations

import gzip
import io
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.settings import Dataset
from balmi.data.files import annotated_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNT = 30
KINDS = {"rna": "rna-log", "protein": "protein"}
FORMATS = ("csv", "tsv", "parquet", "h5ad", "h5mu")
DELIMITED = {"csv": ",", "tsv": "\t"}


def good_cohort() -> dict[str, pd.DataFrame]:
    """Return the tables of a cohort that is in order: samples, rna, protein."""
    rng = np.random.default_rng(3)
    ids = pd.Index([f"S{i:03d}" for i in range(COUNT)], name="sample")
    samples = pd.DataFrame(
        {
            "subtype": np.resize(["LumA", "LumB", "Her2"], COUNT),
            "patient": [f"P{i // 2:02d}" for i in range(COUNT)],
            "site": np.resize(["Oslo", "Turin", "Lyon", "Malmö"], COUNT),
            "notes": np.resize(["ok", "fine", "seen"], COUNT),
        },
        index=ids,
    )
    tables = {"samples": samples}
    for name, width in {"rna": 8, "protein": 6}.items():
        values = rng.normal(size=(COUNT, width)).round(3)
        tables[name] = pd.DataFrame(values, ids, [f"{name}{j}" for j in range(width)])
    return tables


def _annotated(table: pd.DataFrame) -> object:
    from anndata import AnnData

    numeric = table.select_dtypes("number")
    if numeric.empty:
        return AnnData(np.ones((len(table), 1)), obs=table)
    data = AnnData(numeric.to_numpy(dtype=float), obs=pd.DataFrame(index=table.index.astype(str)))
    data.var_names = numeric.columns.astype(str)
    return data


def write(tables: dict[str, pd.DataFrame], folder: Path, form: str, **keys: object) -> Dataset:
    """Write tables in a format and return the dataset."""
    paths = {name: folder / f"{name}.{form}" for name in tables}
    if form == "h5mu":
        from mudata import MuData

        paths = dict.fromkeys(tables, folder / "cohort.h5mu")
        with annotated_files():
            data = MuData({name: _annotated(tables[name]) for name in KINDS})
            for column in tables["samples"]:
                data.obs[column] = tables["samples"][column].reindex(data.obs_names)
            data.write_h5mu(paths["rna"])
    for name, table in tables.items():
        if form in DELIMITED:
            table.to_csv(paths[name], sep=DELIMITED[form])
        elif form == "parquet":
            table.to_parquet(paths[name])
        elif form == "h5ad":
            with annotated_files():
                _annotated(table).write_h5ad(paths[name])
    return dataset_of({name: str(path) for name, path in paths.items()}, **keys)


def dataset_of(paths: dict[str, str], **keys: object) -> Dataset:
    """Return the dataset of the given files."""
    files = {name: {"path": paths[name], "kind": kind} for name, kind in KINDS.items()}
    standard = {"label": "subtype", "group": "patient"}
    return Dataset(samples=paths["samples"], modalities=files, **(standard | keys))


@dataclass(frozen=True)
class Corruption:
    """What is done to one table of a cohort: to its text, or to its data frame.

    Parameters
    ----------
    table
        ``samples``, ``rna`` or ``both``.
    change
        Lines and separator -> lines, text or bytes; or table -> table.
    forms
        The formats in which it can be written.
    """

    table: str
    change: Callable
    forms: tuple[str, ...] = FORMATS


def _cell(row: int, column: int, change: Callable[[str], str]) -> Callable:
    """Change one field of one line."""

    def changed(lines: list[str], sep: str) -> list[str]:
        fields = lines[row].split(sep)
        fields[column] = change(fields[column])
        return [*lines[:row], sep.join(fields), *lines[row:][1:]]

    return changed


def _line(row: int, change: Callable[[str, str], str]) -> Callable:
    def changed(lines: list[str], sep: str) -> list[str]:
        return [*lines[:row], change(lines[row], sep), *lines[row:][1:]]

    return changed


def _every(change: Callable[[str, str], str], start: int = 0) -> Callable:
    def changed(lines: list[str], sep: str) -> list[str]:
        return lines[:start] + [change(line, sep) for line in lines[start:]]

    return changed


def _insert(row: int, make: Callable[[list[str], str], str]) -> Callable:
    return lambda lines, sep: [*lines[:row], make(lines, sep), *lines[row:]]


def _bytes(change: Callable[[str], bytes]) -> Callable:
    return lambda lines, sep: change("\n".join(lines) + "\n")


def _zipped(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("table.csv", text)
    return file.getvalue()


PLACES = {"first": 1, "middle": 14, "last": COUNT}
TEXTS: dict[str, Corruption] = {}
for where, at in PLACES.items():
    for table, last in {"samples": 4, "rna": 8}.items():
        on = f"{table}: {where} row"
        TEXTS |= {
            f"{on} with a separator in its last cell": Corruption(
                table, _line(at, lambda line, sep: f"{line}{sep} annex")
            ),
            f"{on} with a separator in the second cell": Corruption(
                table, _line(at, lambda line, sep: line.replace(sep, f"{sep}1{sep}", 1))
            ),
            f"{on} cut off": Corruption(table, _line(at, lambda line, sep: line.rsplit(sep, 2)[0])),
            f"{on} with its id alone": Corruption(
                table, _line(at, lambda line, sep: line.split(sep)[0])
            ),
            f"{on} with an empty field at its end": Corruption(
                table, _line(at, lambda line, sep: line + sep)
            ),
            f"{on} with an open quote in its last cell": Corruption(
                table, _cell(at, last, '"{}'.format)
            ),
            f"{on} with an open quote in its id": Corruption(table, _cell(at, 0, '"{}'.format)),
            f"{on} with quotes around a part of a cell": Corruption(
                table, _cell(at, 1, '"{}" x'.format)
            ),
            f"{on} with blanks around its id": Corruption(table, _cell(at, 0, " {} ".format)),
            f"{on} with a no-break space after its id": Corruption(
                table, _cell(at, 0, "{}\u00a0".format)
            ),
            f"{on} with an invisible sign in its id": Corruption(
                table, _cell(at, 0, "{}\u200b".format)
            ),
            f"{on} in quotes twice": Corruption(table, _cell(at, 0, '"""{}"""'.format)),
            f"{on} with a NUL": Corruption(table, _cell(at, 1, "{}\0".format)),
            f"{on} after a blank line": Corruption(table, _insert(at, lambda lines, sep: "")),
            f"{on} after a line of blanks": Corruption(table, _insert(at, lambda lines, sep: "  ")),
            f"{on} after a line of separators": Corruption(
                table, _insert(at, lambda lines, sep: sep * lines[0].count(sep))
            ),
            f"{on} after a comment": Corruption(
                table, _insert(at, lambda lines, sep: "# batch two")
            ),
            f"{on} after the header again": Corruption(
                table, _insert(at, lambda lines, sep: lines[0])
            ),
            f"{on} twice": Corruption(table, _insert(at, lambda lines, sep, at=at: lines[at])),
        }
for where, at in PLACES.items():
    TEXTS |= {
        f"rna: {where} row with a decimal comma": Corruption(
            "rna", _cell(at, 3, lambda cell: cell.replace(".", ","))
        ),
        f"rna: {where} row with a decimal comma in quotes": Corruption(
            "rna", _cell(at, 3, '"{}"'.format), ("csv", "tsv")
        ),
    }
    for text in ("NA", "nan", "None", "n/a", "[Not Available]", ".", "?", "-", "missing", "1,234"):
        TEXTS[f"rna: {where} row with {text!r} for a number"] = Corruption(
            "rna", _cell(at, 3, lambda cell, text=text: f'"{text}"')
        )
for table in ("samples", "rna"):
    TEXTS |= {
        f"{table}: every row with one field more": Corruption(
            table, _every(lambda line, sep: f"{line}{sep}annex", 1)
        ),
        f"{table}: every row with a decimal comma": Corruption(
            table, _every(lambda line, sep: f"{line}{sep}5", 1)
        ),
        f"{table}: every row ends in a separator": Corruption(
            table, _every(lambda line, sep: line + sep, 1)
        ),
        f"{table}: every line ends in a separator": Corruption(
            table, _every(lambda line, sep: line + sep)
        ),
        f"{table}: separated by semicolons": Corruption(
            table, _every(lambda line, sep: line.replace(sep, ";"))
        ),
        f"{table}: the other separator": Corruption(
            table, _every(lambda line, sep: line.replace(sep, {",": "\t", "\t": ","}[sep]))
        ),
        f"{table}: blanks after separators": Corruption(
            table, _every(lambda line, sep: line.replace(sep, f"{sep} "))
        ),
        f"{table}: a quote around every line": Corruption(
            table, _every(lambda line, sep: f'"{line}"')
        ),
        f"{table}: all cells in quotes": Corruption(
            table, _every(lambda line, sep: sep.join(f'"{cell}"' for cell in line.split(sep)))
        ),
        f"{table}: an open quote in the header": Corruption(table, _cell(0, 2, '"{}'.format)),
        f"{table}: a comment above the header": Corruption(
            table, _insert(0, lambda lines, sep: "# made by hand")
        ),
        f"{table}: a comment with separators above the header": Corruption(
            table, _insert(0, lambda lines, sep: "# made" + sep * (lines[0].count(sep) - 1))
        ),
        f"{table}: a title above the header": Corruption(
            table, _insert(0, lambda lines, sep: "Table 1" + sep * lines[0].count(sep))
        ),
        f"{table}: a second header below the first": Corruption(
            table, _insert(1, lambda lines, sep: sep.join(["id"] + ["unit"] * lines[0].count(sep)))
        ),
        f"{table}: a row of totals": Corruption(
            table,
            _insert(
                COUNT + 1, lambda lines, sep: sep.join(["Total", *["1"] * lines[0].count(sep)])
            ),
        ),
        f"{table}: no header": Corruption(table, lambda lines, sep: lines[1:]),
        f"{table}: the first name of the header is left out": Corruption(
            table, _line(0, lambda line, sep: line.split(sep, 1)[1])
        ),
        f"{table}: a name of the header is left out": Corruption(
            table, _line(0, lambda line, sep: line.rsplit(sep, 1)[0])
        ),
        f"{table}: the first name is empty": Corruption(
            table, _line(0, lambda line, sep: sep + line.split(sep, 1)[1])
        ),
        f"{table}: numbers of rows in front": Corruption(
            table,
            lambda lines, sep: (
                [sep + lines[0]] + [f"{i}{sep}{line}" for i, line in enumerate(lines[1:])]
            ),
        ),
        f"{table}: numbers of rows as R writes them": Corruption(
            table,
            lambda lines, sep: (
                [lines[0]] + [f"{i}{sep}{line}" for i, line in enumerate(lines[1:], 1)]
            ),
        ),
        f"{table}: numbers of rows in place of ids": Corruption(
            table,
            lambda lines, sep: (
                [sep + lines[0].split(sep, 1)[1]]
                + [f"{i}{sep}{line.split(sep, 1)[1]}" for i, line in enumerate(lines[1:])]
            ),
        ),
        f"{table}: two files one below the other": Corruption(
            table, lambda lines, sep: [*lines[:20], *lines]
        ),
        f"{table}: only a header": Corruption(table, lambda lines, sep: lines[:1]),
        f"{table}: empty": Corruption(table, _bytes(lambda text: b"")),
        f"{table}: cut off in the middle": Corruption(
            table, _bytes(lambda text: text.encode()[: len(text) // 2])
        ),
        f"{table}: cut off within the last cell of a row": Corruption(
            table, _bytes(lambda text: "\n".join(text.splitlines()[:25])[:-1].encode())
        ),
        f"{table}: byte-order mark": Corruption(
            table, _bytes(lambda text: text.encode("utf-8-sig"))
        ),
        f"{table}: UTF-16": Corruption(table, _bytes(lambda text: text.encode("utf-16"))),
        f"{table}: UTF-16 without a mark": Corruption(
            table, _bytes(lambda text: text.encode("utf-16-le"))
        ),
        f"{table}: Latin-1": Corruption(
            table, _bytes(lambda text: text.replace("S004", "Sö04").encode("latin-1"))
        ),
        f"{table}: ends of lines of Windows": Corruption(
            table, _bytes(lambda text: text.replace("\n", "\r\n").encode())
        ),
        f"{table}: ends of lines of an old Mac": Corruption(
            table, _bytes(lambda text: text.replace("\n", "\r").encode())
        ),
        f"{table}: no end of the last line": Corruption(
            table, _bytes(lambda text: text.encode()[:-1])
        ),
        f"{table}: packed under its old name": Corruption(
            table, _bytes(lambda text: gzip.compress(text.encode()))
        ),
        f"{table}: a zip archive": Corruption(table, _bytes(_zipped)),
        f"{table}: a web page": Corruption(
            table, _bytes(lambda text: b"<!DOCTYPE html>\n<html><body>404</body></html>\n")
        ),
        f"{table}: a pointer of Git LFS": Corruption(
            table, _bytes(lambda text: b"version https://git-lfs.github.com/spec/v1\nsize 12\n")
        ),
    }


def _ids(change: Callable[[list[str]], list[str]]) -> Callable:
    def changed(table: pd.DataFrame) -> pd.DataFrame:
        return table.set_axis(pd.Index(change(list(table.index)), name=table.index.name))

    return changed


def _some_ids(change: Callable[[str], str], step: int = 2) -> Callable:
    return _ids(lambda ids: [change(name) if i % step == 0 else name for i, name in enumerate(ids)])


def _column(name: str, change: Callable[[object], object], step: int = 2) -> Callable:
    """Change every second cell of a column, or every one."""

    def changed(table: pd.DataFrame) -> pd.DataFrame:
        cells = table[name].astype(object).to_list()
        cells = [change(cell) if i % step == 0 else cell for i, cell in enumerate(cells)]
        return table.assign(**{name: pd.Series(cells, index=table.index, dtype=object)})

    return changed


def _names(change: Callable[[str], str], place: int = 0) -> Callable:
    def changed(table: pd.DataFrame) -> pd.DataFrame:
        names = [change(name) if i == place else name for i, name in enumerate(table.columns)]
        return table.set_axis(names, axis=1)

    return changed


def _values(change: Callable[[np.ndarray], np.ndarray]) -> Callable:
    return lambda table: pd.DataFrame(change(table.to_numpy()), table.index, table.columns)


def _put(value: float, share: int = 9) -> Callable:
    """Put a value into every n-th cell."""

    def changed(values: np.ndarray) -> np.ndarray:
        values = values.copy()
        values.reshape(-1)[::share] = value
        return values

    return _values(changed)


WITHOUT_H5MU = ("csv", "tsv", "parquet", "h5ad")
TABLES: dict[str, Corruption] = {}
for table, forms in {"samples": WITHOUT_H5MU, "rna": FORMATS}.items():
    TABLES |= {
        f"{table}: {what}": Corruption(table, change, forms)
        for what, change in {
            "every second id ends in a blank": _some_ids("{} ".format),
            "every second id in lower case": _some_ids(str.lower),
            "every second id without leading zeros": _some_ids(
                lambda name: name.replace("S0", "S").replace("S0", "S")
            ),
            "every second id with a dash": _some_ids("S-{}".format),
            "every second id goes on": _some_ids("{}-01A-11R".format),
            "every second id is unknown": _some_ids("other{}".format),
            "every id ends in a no-break space": _some_ids("{}\u00a0".format, 1),
            "one id is unknown": _some_ids("other{}".format, COUNT),
            "one id with an invisible sign": _some_ids("\ufeff{}".format, COUNT),
            "one id empty": _some_ids(lambda name: "", COUNT),
            "ids with an X in front": _some_ids("X_{}".format, 1),
            "rows sorted otherwise": lambda table: table.iloc[::-1],
        }.items()
    }
    TABLES |= {
        f"{table}: one id twice": Corruption(
            table, _ids(lambda ids: [ids[1], *ids[1:]]), WITHOUT_H5MU
        ),
        f"{table}: an id twice but for a blank": Corruption(
            table, _ids(lambda ids: [f"{ids[1]} ", *ids[1:]]), WITHOUT_H5MU
        ),
        f"{table}: a row under another id": Corruption(
            table, lambda table: pd.concat([table, table.iloc[[0]].rename(index={"S000": "S0"})])
        ),
        f"{table}: transposed": Corruption(table, lambda table: table.T, ("csv", "tsv", "parquet")),
        f"{table}: three rows lost": Corruption(table, lambda table: table.iloc[3:])
        if table == "samples"
        else Corruption(table, _values(lambda values: values)),
    }
for role, column in {"label": "subtype", "group": "patient"}.items():
    changes = {
        "ends in a blank": "{} ".format,
        "begins with a no-break space": "\u00a0{}".format,
        "holds an invisible sign": "{}\u200b".format,
        "in lower case": str.lower,
        "in quotes": "'{}'".format,
        "with an accent in pieces": lambda name: unicodedata.normalize("NFD", f"{name}é"),
        "with a Cyrillic letter": lambda name: (
            name.replace("P", "Р").replace("L", "Ӏ").replace("H", "Н")
        ),
        "missing": lambda name: None,
        "empty": lambda name: "",
    }
    changes |= {
        f"is {text!r}": lambda name, text=text: text
        for text in ("nan", "NA", "None", "[Not Available]", "NaN", "--", "Unknown", "-9", "?",
                     "#N/A", "#REF!", "2-Sep", "missing")
    }  # fmt: skip
    for what, change in changes.items():
        for step, often in ((2, "every second"), (COUNT, "one")):
            TABLES[f"samples: {often} {role} {what}"] = Corruption(
                "samples", _column(column, change, step)
            )
NUMBERS = {"LumA": 0, "LumB": 1, "Her2": 2}
TABLES |= {
    "samples: a column's name ends in a blank": Corruption("samples", _names("{} ".format)),
    "samples: a column's name in capitals": Corruption("samples", _names(str.upper)),
    "samples: a column twice": Corruption(
        "samples",
        lambda table: table.set_axis(["subtype", "patient", "subtype", "notes"], axis=1),
        ("csv", "tsv"),
    ),
    "samples: columns in another order": Corruption(
        "samples", lambda table: table[["site", "notes", "patient", "subtype"]]
    ),
    "samples: the label is a number of every sample": Corruption(
        "samples",
        lambda table: table.assign(subtype=np.arange(COUNT) / 7),
        ("csv", "tsv", "parquet"),
    ),
    "samples: the label is the group": Corruption(
        "samples", lambda table: table.assign(subtype=table["patient"])
    ),
    "samples: every second label with a blank inside": Corruption(
        "samples", _column("subtype", lambda name: name[:3] + " " + name[3:])
    ),
    "rna: one id rounded": Corruption("rna", _some_ids(lambda name: "1e+05", COUNT)),
    "samples: one label alone": Corruption("samples", lambda table: table.assign(subtype="LumA")),
    "rna: a name of a feature ends in a blank": Corruption("rna", _names("{} ".format)),
    "rna: a name of a feature is empty": Corruption("rna", _names(lambda name: "")),
    "rna: a name of a feature became a date": Corruption("rna", _names(lambda name: "2-Sep")),
    "rna: two features of one name": Corruption(
        "rna", _names(lambda name: "rna1"), ("csv", "tsv", "h5ad")
    ),
    "rna: values before the log": Corruption("rna", _values(lambda x: np.exp(x * 3 + 4).round(2))),
    "rna: raw counts": Corruption("rna", _values(lambda x: np.exp(x + 3).round())),
    "rna: -9 for missing": Corruption("rna", _put(-9)),
    "rna: 999 for missing": Corruption("rna", _put(999)),
    "rna: -1 for missing": Corruption(
        "rna", lambda table: _put(-1)(_values(lambda x: np.exp(x))(table))
    ),
    "rna: -99 in one cell": Corruption("rna", _put(-99, 10_000)),
    "rna: infinite": Corruption("rna", _put(np.inf, 50)),
    "rna: enormous": Corruption("rna", _put(1e30, 50)),
    "rna: beyond single precision": Corruption("rna", _put(1e300, 50)),
    "rna: samples filled with zeros": Corruption(
        "rna", lambda table: table.mul(~table.index.isin(["S003", "S004"]), axis=0)
    ),
    "rna: all rows alike": Corruption(
        "rna", lambda table: table.iloc[[0] * COUNT].set_axis(table.index)
    ),
    "rna: two rows alike": Corruption(
        "rna", lambda table: table.iloc[[0, 0, *range(2, COUNT)]].set_axis(table.index)
    ),
    "rna: a column of the class": Corruption(
        "rna", lambda table: table.assign(subtype="LumA"), ("csv", "tsv", "parquet")
    ),
    "rna: a column of true and false": Corruption(
        "rna", lambda table: table.assign(rna0=table["rna0"] > 0), ("csv", "tsv", "parquet")
    ),
    "rna: a column of dates": Corruption(
        "rna", lambda table: table.assign(rna0=pd.Timestamp("2020-01-01")), ("csv", "parquet")
    ),
    "rna: a column of lists": Corruption(
        "rna", lambda table: table.assign(rna0=[[1, 2]] * COUNT), ("csv", "parquet")
    ),
    "rna: numbers as text": Corruption("rna", lambda table: table.astype(str), ("csv", "parquet")),
    "rna: numbers as text with commas": Corruption(
        "rna", lambda table: table.map(lambda x: str(x).replace(".", ",")), ("csv", "parquet")
    ),
    "rna: texts for missing numbers": Corruption(
        "rna", lambda table: table.astype(str).mask(table > 1.5, "NA"), ("csv", "tsv", "parquet")
    ),
    "rna: whole numbers as decimals": Corruption(
        "rna",
        lambda table: table.map(lambda x: __import__("decimal").Decimal(str(x))),
        ("parquet",),
    ),
}
