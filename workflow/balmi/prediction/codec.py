"""What was learned as JSON and named arrays, and back: a list of types, and nothing beside it.

A tree of frozen dataclasses, tuples, mappings, numbers, texts, arrays and the few functions of
`FUNCTIONS`. Reading builds instances of listed classes from their fields and runs nothing else, so
that a file from elsewhere can do no harm, which a pickle could.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from balmi.information.machines import Radial
from balmi.methods.deciding import Rule
from balmi.methods.experts import Head, Learned, Linear
from balmi.methods.peers.base import FittedBase
from balmi.methods.peers.early import (
    CalibratedMachine,
    EarlyFusion,
    FittedMachine,
    Forest,
    side_by_side,
)
from balmi.methods.peers.late import LateFusion, Unimodal
from balmi.methods.peers.logistic import Axes, FittedLogistic
from balmi.methods.peers.registry import Majority
from balmi.methods.peers.stacking import FittedStack
from balmi.methods.pooled.experts import (
    Access,
    AtPrior,
    Expert,
    OfAll,
    OfModality,
    Stack,
    equal_blocks,
)
from balmi.methods.pooled.imputing import Donors
from balmi.methods.pooled.learners import (
    Components,
    MeanKernel,
    OnLandmarks,
    OnProducts,
    Predicting,
    Votes,
)
from balmi.methods.pooled.least_squares import Mean
from balmi.methods.pooled.method import OnePool, Pool
from balmi.prediction.distribution import Envelope
from balmi.prediction.masking import Widening
from balmi.prediction.networks import Networks
from balmi.prediction.plain import Chain, Landmarks, Margins, Scale, Trees, WithProducts
from balmi.prediction.units import Usual
from balmi.preprocess.fitted import FittedModality
from balmi.preprocess.lsi import FittedLsi

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(Pool, OnePool, Expert, AtPrior, OfModality, OfAll, Stack, Donors, Rule),
        *(Predicting, Votes, MeanKernel, OnLandmarks, OnProducts, Components),
        *(FittedBase, FittedLogistic, FittedStack, FittedMachine, CalibratedMachine, Axes),
        *(EarlyFusion, Forest, LateFusion, Unimodal, Mean, Majority),
        *(Networks, Head, Linear, Learned),
        *(Trees, Margins, Radial, Landmarks, Scale, WithProducts, Chain),
        *(FittedModality, FittedLsi, Envelope, Widening, Usual),
    )
}
FUNCTIONS: dict[str, Callable] = {
    function.__name__: function for function in (side_by_side, equal_blocks)
}
ENUMS: dict[str, type] = {Access.__name__: Access}
PLAIN = (bool, int, float, str, type(None))
# The one key of every node that is no plain value.
OF, ARRAY, ROWS, TUPLE, MAPPING, SLICE, FUNCTION, ENUM, NUMBER = (
    *("of", "array", "rows", "tuple", "mapping", "slice", "function", "enum", "number"),
)
DIGITS = 16  # of a checksum by which equal arrays are found


def _ranked(parts: dict[str, Any]) -> dict[str, Any]:
    return {"ranking": (parts.pop("best"),), **parts} if "best" in parts else parts


# Type -> its parts of today, of those that earlier models were written with.
EARLIER: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {Unimodal.__name__: _ranked}


class UnknownType(ValueError):
    """A type that is not on the list."""


class RowsWriter(Protocol):
    """What knows the rows of a table of training samples again."""

    def find(self, array: np.ndarray) -> dict[str, Any] | None:
        """Return what stands for an array that is made of such rows, None for any other."""


class Writer:
    """What turns learned things into a tree of JSON, and gathers their arrays.

    Parameters
    ----------
    convert
        Returns what is written in the place of a thing.
    rows
        Knows rows of training samples again, which are then written once.

    Attributes
    ----------
    arrays
        Name -> array.
    """

    def __init__(
        self, convert: Callable[[Any], Any] = lambda thing: thing, rows: RowsWriter | None = None
    ) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._convert, self._rows = convert, rows
        self._names: dict[bytes, str] = {}

    def tree(self, thing: Any) -> Any:
        """Return a thing as JSON can hold it.

        Raises
        ------
        UnknownType
            Where a part of it is of a type that is not listed.
        """
        thing = self._convert(thing)
        for kinds, write in self._ways:
            if isinstance(thing, kinds):
                return write(self, thing)
        if is_dataclass(thing) and TYPES.get(type(thing).__name__) is type(thing):
            held = {field.name: self.tree(getattr(thing, field.name)) for field in fields(thing)}
            return {OF: type(thing).__name__, **held}
        if callable(thing) and FUNCTIONS.get(getattr(thing, "__name__", "")) is thing:
            return {FUNCTION: thing.__name__}
        raise UnknownType(f"{type(thing).__module__}.{type(thing).__name__}")

    def _enum(self, thing: Any) -> dict[str, Any]:
        return {ENUM: type(thing).__name__, "value": int(thing)}

    def _plain(self, thing: Any) -> Any:
        number = isinstance(thing, float) and not np.isfinite(thing)
        return {NUMBER: repr(thing)} if number else thing

    def _array(self, array: np.ndarray) -> dict[str, Any]:
        if array.dtype.kind not in "biuf":
            raise UnknownType(f"array of {array.dtype}")
        rows = None if self._rows is None else self._rows.find(array)
        if rows is not None:
            return {ROWS: self.tree(rows)}
        return {ARRAY: self.name(array)}

    def name(self, array: np.ndarray) -> str:
        """Return the name under which an array is written, once however often it occurs."""
        held = np.ascontiguousarray(array)
        told = f"{held.dtype.str}{held.shape}".encode()
        key = hashlib.blake2b(held.tobytes(), digest_size=DIGITS, key=told[:64]).digest()
        if key not in self._names:
            self._names[key] = f"a{len(self._names)}"
            self.arrays[self._names[key]] = held
        return self._names[key]

    _ways: ClassVar[tuple[tuple[Any, Callable[[Writer, Any], Any]], ...]] = (
        (tuple(ENUMS.values()), _enum),
        (PLAIN, _plain),
        (np.generic, lambda self, thing: self._plain(thing.item())),
        (np.ndarray, _array),
        ((tuple, list), lambda self, thing: {TUPLE: [self.tree(each) for each in thing]}),
        (dict, lambda self, thing: {MAPPING: [[str(k), self.tree(v)] for k, v in thing.items()]}),
        (slice, lambda self, thing: {SLICE: [_end(thing.start), _end(thing.stop)]}),
    )


class Reader:
    """What turns the tree back.

    Parameters
    ----------
    arrays
        Name -> array.
    rows
        Makes an array of what stands for rows of training samples.
    """

    def __init__(
        self,
        arrays: Mapping[str, np.ndarray],
        rows: Callable[[dict[str, Any]], np.ndarray] | None = None,
    ) -> None:
        self._arrays, self._rows = arrays, rows

    def thing(self, tree: Any) -> Any:
        """Return what `Writer.tree` wrote.

        Raises
        ------
        UnknownType
            Where the tree names a type, a function or a kind of node that is not listed.
        """
        if isinstance(tree, PLAIN):
            return tree
        if isinstance(tree, dict):
            for key, read in self._ways.items():
                if key in tree:
                    return read(self, tree)
        raise UnknownType(f"{str(tree)[:60]!r}")

    def _dataclass(self, tree: dict[str, Any]) -> Any:
        kind = _listed(TYPES, tree[OF])
        parts = {name: self.thing(held) for name, held in tree.items() if name != OF}
        return kind(**EARLIER.get(tree[OF], lambda same: same)(parts))

    def _made_of_rows(self, tree: dict[str, Any]) -> np.ndarray:
        if self._rows is None:
            raise UnknownType("rows of training samples, and none are written")
        return self._rows(self.thing(tree[ROWS]))

    _ways: ClassVar[dict[str, Callable[[Reader, dict[str, Any]], Any]]] = {
        OF: _dataclass,
        ARRAY: lambda self, tree: self._arrays[tree[ARRAY]],
        ROWS: _made_of_rows,
        TUPLE: lambda self, tree: tuple(self.thing(each) for each in tree[TUPLE]),
        MAPPING: lambda self, tree: {k: self.thing(v) for k, v in tree[MAPPING]},
        SLICE: lambda self, tree: slice(*tree[SLICE]),
        FUNCTION: lambda self, tree: _listed(FUNCTIONS, tree[FUNCTION]),
        ENUM: lambda self, tree: _listed(ENUMS, tree[ENUM])(tree["value"]),
        NUMBER: lambda self, tree: float(tree[NUMBER]),
    }


def _end(place: Any) -> int | None:
    return None if place is None else int(place)


def _listed(registry: Mapping[str, Any], name: object) -> Any:
    if name not in registry:
        raise UnknownType(f"{name!r}")
    return registry[name]
