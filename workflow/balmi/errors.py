"""The one exception that users meet, and how a problem of theirs is put into words."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_LISTED = 16
MAX_SHOWN = 80


@dataclass(frozen=True)
class Problem:
    """One thing that a user has to mend.

    Parameters
    ----------
    where
        The configuration key (``datasets.x.label``) or the file that holds the problem.
    found
        What was found there.
    allowed
        What is allowed there, or what to do.
    nearest
        The allowed value most like the one that was found, if there is any.
    """

    where: str
    found: str
    allowed: str
    nearest: str | None = None

    def __str__(self) -> str:
        """Return the problem as an indented block of text."""
        lines = [self.where, f"   found:   {self.found}", f"   allowed: {self.allowed}"]
        if self.nearest is not None:
            lines.append(f"   nearest: {self.nearest}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Caution:
    """Something that is accepted, but that may mean something else than the user thinks.

    Parameters
    ----------
    where
        The configuration key and the file, as the user named it, without folders of the machine.
    found
        What was found there.
    meaning
        What is made of it, or what to do.
    """

    where: str
    found: str
    meaning: str

    def __str__(self) -> str:
        """Return the caution as one line."""
        return f"{self.where}: {self.found}; {self.meaning}"


class UserError(Exception):
    """Everything that is wrong with what the user gave, all at once.

    Parameters
    ----------
    problems
        The problems, in the order in which they are shown.
    """

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Return all problems, numbered."""
        count = len(self.problems)
        head = f"balmi found {counted(count, 'problem')}:"
        body = [
            f"{number}. {problem}".replace("\n", "\n  ")
            for number, problem in enumerate(self.problems, start=1)
        ]
        return "\n\n".join([head, *body])


def nearest(value: object, allowed: Iterable[object]) -> str | None:
    """Return the allowed value most like `value`, or None where nothing is close."""
    by_lower = {str(option).lower(): str(option) for option in allowed}
    match = get_close_matches(str(value).lower(), by_lower, n=1, cutoff=0.6)
    return repr(by_lower[match[0]]) if match else None


def shown(value: object) -> str:
    """Return a value as it is written in code, cut after 80 characters."""
    text = repr(value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def shown_or_nothing(value: object) -> str:
    """Return a value of a configuration as `shown` does; an empty one is nothing."""
    return "nothing" if value is None else shown(value)


def listing(values: Iterable[object]) -> str:
    """Return the values as one line of text, shortened beyond sixteen."""
    texts = [str(value) for value in values]
    shown = ", ".join(texts[:MAX_LISTED])
    return shown if len(texts) <= MAX_LISTED else f"{shown}, … ({len(texts)} in all)"


def first_of(values: Sequence[Any], most: int, form: Callable[[Any], str] = shown) -> str:
    """Return the first of some values as one line of text, with a sign where there are more."""
    return ", ".join(map(form, values[:most])) + ", …" * (len(values) > most)


class MethodNotApplicable(Exception):
    """A method cannot run on this dataset; the message says why. The run goes on without it."""


class MethodFailed(Exception):
    """A method broke on this dataset; the message says how. The run goes on without it."""
