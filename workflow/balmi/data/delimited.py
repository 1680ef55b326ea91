"""The layout of a delimited text file, looked through row by row before anything is read from it.

Readers of tables are lenient: they pad a short row with empty cells, move all names by one where a
row has a field too many, and read forty lines as one cell where a quote is not closed. Each of
these is an error of the file, or cannot be told from one, so that rows are counted here and every
row has to have as many fields as the others.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from balmi.errors import Problem, UserError, shown
from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FEWEST_SPACED = 2  # words of a header without a separator, from which spaces may be one
OF_ENDING = {".csv": ",", ".tsv": "\t", ".txt": "\t"}  # which sign splits a file
SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}
UTF8 = "text in UTF-8: save the table again with this encoding (Excel: 'CSV UTF-8')"
# The first name of a header that names the ids, and so leaves no room for names of rows before it.
_ID_NAME = re.compile(
    r"|#?(the |unnamed: ?0|tumou?r |submitter |aliquot )?"
    r"(samples?|ids?|barcodes?|index|row ?names?|cases?|specimens?|cells?|sample ?(ids?|names?))"
    r"( ?(ids?|barcodes?|names?))?",
    re.IGNORECASE,
)
_HEADER = "a first line that names columns"
_SPLIT = "a file whose ending says what it is split by, .csv for commas, .tsv for tabs"
_OF_EXCEL = re.compile(r'"?sep=.?"?', re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """How a delimited file is laid out.

    Parameters
    ----------
    header
        The fields of the header; one for every column but that of row names, if `unnamed_rows`.
    skipped
        Rows up to and with the header, blank ones too.
    rows
        Rows below the header that hold something.
    unnamed_rows
        Whether the rows have one field more than the header, as R's ``write.table`` writes them.
    spans
        First and last line of rows below the header that hold a cell of several lines.
    ended
        Whether the last line ends; a packed file that is cut off cannot be unpacked, and counts so.
    """

    header: list[str]
    skipped: int
    rows: int
    unnamed_rows: bool
    spans: tuple[tuple[int, int], ...]
    ended: bool = True


class _Row(NamedTuple):
    first: int
    last: int
    text: str
    cells: list[str] | None  # only where quotes made it necessary to split the row


def opened(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """Open a file of bytes that may be gzipped, by its name."""
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def opened_text(path: Path) -> io.TextIOWrapper:
    """Open a file of UTF-8, with a byte order mark or without one, that may be gzipped."""
    return io.TextIOWrapper(opened(path), encoding="utf-8-sig")


def _quoted(line: str, lines: Iterator[str], number: int, separator: str, path: Path) -> _Row:
    """Return the row that begins with a line that holds quotes, however many lines it takes."""
    reader = csv.reader(chain([line], lines), delimiter=separator, strict=True)
    try:
        cells = next(reader)
    except csv.Error as error:
        last = number + reader.line_num - 1
        reached = f"line {number}" if last == number else f"lines {number} to {last}"
        ends = "unexpected end" in str(error) or "limit" in str(error)
        found = (
            f"a quote that is opened in line {number} and not closed"
            if ends
            else f"a quoted cell in {reached} that goes on after its closing quote"
        ) + _other_separator(line, separator)
        allowed = 'quotes in pairs around a cell; inside a quoted cell a quote is doubled ("")'
        raise UserError(Problem(str(path), found, allowed)) from error
    return _Row(number, number + reader.line_num - 1, line.removesuffix("\n"), cells)


def _rows(lines: Iterable[str], separator: str, path: Path) -> Iterator[_Row]:
    lines, number = iter(lines), 1
    for line in lines:
        if "\0" in line:
            found = f"a NUL character in line {number}"
            raise UserError(Problem(str(path), found, UTF8))
        if '"' in line:
            row = _quoted(line, lines, number, separator, path)
        else:
            row = _Row(number, number, line.removesuffix("\n"), None)
        yield row
        number = row.last + 1


def _swallowed(row: _Row, separator: str, fields: int) -> bool:
    """Return whether a cell of several lines holds lines that look like rows."""
    cells = row.cells or []
    for place, cell in enumerate(cells):
        after = len(cells) - place - 1
        *_, last = pieces = cell.split("\n")
        inner = [piece.count(separator) + 1 == fields for piece in pieces[1:-1]]
        if any(inner) or (len(pieces) > 1 and last.count(separator) + 1 + after == fields > 1):
            return True
    return False


def _comment(text: str) -> bool:
    """Return whether a row looks like a line of comment, as programs write above their tables."""
    return text.startswith(("#", "!"))


def _other_separator(text: str, separator: str) -> str:
    """Return a hint at another sign that splits the header, or nothing."""
    count, sign = max((text.count(sign), sign) for sign in SEPARATORS)
    if sign == separator or count <= text.count(separator) or _comment(text):
        return ""
    return (
        f"; the header seems to be split by {SEPARATORS[sign]}, and the file's ending says"
        f" {SEPARATORS[separator]}"
    )


def _uneven(
    counts: dict[int, list[int]],
    comment: bool,
    width: int,
    header: _Row,
    separator: str,
    path: Path,
) -> UserError:
    """Return what to say of rows that differ in length from the header, or from each other."""
    usual = max(counts, key=lambda count: len(counts[count]))
    fitting = usual if usual in (width, width + 1) and len(counts) > 1 else width
    odd = {count: lines for count, lines in counts.items() if count != fitting}
    first = min(odd, key=lambda count: odd[count][0])
    others = sum(map(len, odd.values())) - 1
    place = f"{counted(first, 'field')} in line {odd[first][0]}"
    beside = f"{width} in the header" + (f" and {usual} in most rows" if fitting != width else "")
    more = f" (and {others} more such lines)" if others else ""
    away = "; lines of comment (#) have to go" if comment or _comment(header.text) else ""
    elsewhere = _other_separator(header.text, separator)
    cell = "a tab" if separator == "\t" else "a comma, a decimal comma too,"
    allowed = (
        f"{_SPLIT}, and numbers with a decimal point"
        if elsewhere
        else f"as many fields in every row as in the header: a cell that holds {cell} needs quotes,"
        " and a row that is too short may be cut off"
    )
    found = f"{place}, {beside}{more}{elsewhere}{away}"
    return UserError(Problem(str(path), found, allowed))


def _names_ids(name: str) -> bool:
    """Return whether a name is that of a column of ids, or none."""
    return _ID_NAME.fullmatch(re.sub(r"[\W_]+", " ", name).strip()) is not None


def _check_row_names(header: _Row, names: list[str], empty_ends: bool, path: Path) -> None:
    """Refuse rows with one field too many where that need not be a name of the row."""
    if not (_names_ids(names[0]) or empty_ends):
        return
    ends = "every row ends in a separator" if empty_ends else f"the header begins with {names[0]!r}"
    raise UserError(
        Problem(
            str(path),
            f"{len(names)} fields in the header, {len(names) + 1} in every row below it, while"
            f" {ends}",
            "as many fields in the header as in the rows; a cell that holds the separator, as a"
            " decimal comma, needs quotes",
        )
    )


def survey(path: Path, separator: str) -> Layout:
    """Look through a delimited file and return its layout.

    Lines without quotes are only counted, which costs a fraction of reading them.

    Parameters
    ----------
    path
        The file, in UTF-8, gzipped where its name ends so.
    separator
        The sign between fields.

    Raises
    ------
    UserError
        Where rows differ in length, a quote is not closed or swallows rows, the header is repeated,
        or the file is not UTF-8.
    """
    with opened_text(path) as file:
        try:
            layout = _survey(_rows(file, separator, path), separator, path)
        except UnicodeDecodeError as error:
            found = f"a byte that is no UTF-8: {error.object[error.start]:#04x}"
            raise UserError(Problem(str(path), found, UTF8)) from error
    return replace(layout, ended=_ended(path))


def _ended(path: Path) -> bool:
    if path.suffix.lower() == ".gz" or not path.stat().st_size:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) in b"\r\n"


def rows_below(path: Path, separator: str, skipped: int) -> Iterator[tuple[str, str | list[str]]]:
    """Yield the id of every row below the header, and the rest of the row.

    Parameters
    ----------
    path
        A file that `survey` found in order.
    separator
        The sign between fields.
    skipped
        Rows up to and with the header.

    Yields
    ------
    tuple
        The first field, and the other fields: as they are written where the row has no quotes,
        else one by one.
    """
    with opened_text(path) as file:
        for row in islice(_rows(file, separator, path), skipped, None):
            if _blank(row, separator):
                continue
            if row.cells is not None:
                yield row.cells[0], row.cells[1:]
            else:
                name, _, rest = row.text.partition(separator)
                yield name, rest


def _blank(row: _Row, separator: str) -> bool:
    """Return whether a row holds nothing, as the last ones of a spreadsheet do."""
    if row.cells is not None:
        return not any(map(str.strip, row.cells))
    return not row.text.strip(f" {separator}") or row.text.isspace()


def _survey(rows: Iterator[_Row], separator: str, path: Path) -> Layout:
    for skipped, header in enumerate(rows, start=1):  # noqa: B007
        if not _blank(header, separator):
            break
    else:
        return Layout([], 0, 0, False, ())
    if _OF_EXCEL.fullmatch(header.text.strip()):
        found = (
            f"a first line {header.text.strip()!r}, which spreadsheets alone take for a separator"
        )
        raise UserError(Problem(str(path), found, _HEADER))
    names = header.cells or header.text.split(separator)
    width = len(names)
    alone = width > FEWEST_SPACED and not any(map(str.strip, names[1:]))
    if alone and not _names_ids(names[0]):
        found = f"a single name in a header of {width} fields: {shown(names[0])}"
        raise UserError(Problem(str(path), found, f"{_HEADER}; a title above it has to go"))
    comments = _comment(header.text) and not _names_ids(names[0])  # samples may be called #1
    counts: dict[int, list[int]] = {}
    spans, empty_ends, commented = [], True, set[int]()
    for row in rows:
        if _blank(row, separator):
            continue
        fields = row.text.count(separator) + 1 if row.cells is None else len(row.cells)
        if fields not in counts and _comment(row.text):
            commented.add(fields)
        if not counts and fields == width and comments and _comment(row.text):
            found = f"lines of comment (#) in lines {header.first} and {row.first}"
            raise UserError(Problem(str(path), found, f"{_HEADER}: comments above it have to go"))
        counts.setdefault(fields, []).append(row.first)
        empty_ends = empty_ends and row.text.endswith(separator)
        if row.text == header.text and width > 1:
            found = f"the header again in line {row.first}"
            allowed = "one header: are these several files put one below the other?"
            raise UserError(Problem(str(path), found, allowed))
        if row.last > row.first:
            if _swallowed(row, separator, fields):
                found = f"a quoted cell from line {row.first} to {row.last} that holds rows"
                allowed = "quotes in pairs around a cell: the first of these is not closed"
                raise UserError(Problem(str(path), found, allowed))
            spans.append((row.first, row.last))
    elsewhere = _other_separator(header.text, separator)
    if width == 1 and not elsewhere and len(header.text.split()) > FEWEST_SPACED:
        elsewhere = "; the header seems to be split by spaces"
    if width == 1 and set(counts) == {1} and elsewhere:
        raise UserError(Problem(str(path), f"1 field in every row{elsewhere}", _SPLIT))
    strange = header.text.startswith("#") or elsewhere
    if set(counts) - {width, width + 1} or len(counts) > 1 or (strange and width + 1 in counts):
        comment = bool(commented - {width})
        raise _uneven(counts, comment, width, header, separator, path)
    unnamed = width + 1 in counts
    if unnamed:
        _check_row_names(header, names, empty_ends, path)
    return Layout(names, skipped, sum(map(len, counts.values())), unnamed, tuple(spans))
