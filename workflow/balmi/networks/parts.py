"""Train replicas in as large parts as memory allows, the members of a fold always together."""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import torch

from balmi.errors import MethodFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
logger = logging.getLogger("balmi")


def next_part(groups: Sequence[list[int]], largest: int) -> list[int]:
    """Return the first groups joined, as many as are not too large together, and at least one."""
    part = list(groups[0])
    for group in groups[1:]:
        if len(part) + len(group) > largest:
            break
        part += group
    return part


def in_parts(
    folds: Sequence[int], largest: int | None, fit: Callable[[list[int]], T], name: str
) -> list[T]:
    """Fit all replicas, part by part; where a GPU's memory is too small, in smaller parts.

    The members of a fold decide together when to stop, and are never parted. Nothing else depends
    on the parts.

    Parameters
    ----------
    folds
        Fold of every replica; those of one fold stand side by side.
    largest
        Replicas at once at most, unless one fold has more; all where None.
    fit
        Fits some replicas, given by their numbers.
    name
        What is fitted, for the log.

    Returns
    -------
    list
        What `fit` returned, in the order of the replicas.

    Raises
    ------
    MethodFailed
        Where the memory is too small for a single fold. The CPU is never taken instead.
    """
    starts = [place for place in range(len(folds)) if folds[place] != folds[place - 1] or not place]
    groups = [list(range(*limits)) for limits in pairwise([*starts, len(folds)])]
    size = largest or len(folds)
    fitted = []
    while groups:
        part = next_part(groups, size)
        try:
            fitted.append(fit(part))
        except torch.OutOfMemoryError as error:
            if len(part) == len(groups[0]):
                reason = f"out of memory on the GPU with the networks of one fold at once: {error}"
                raise MethodFailed(reason) from error
            size = max(-(-len(part) // 2), len(groups[0]))
            # Outside of the handler the error, and the tensors that it holds, would still live.
            logger.warning(
                "%s: out of memory on the GPU; going on with at most %d networks at once",
                name,
                size,
            )
        else:
            groups = [group for group in groups if group[0] > part[-1]]
            continue
        torch.cuda.empty_cache()
    return fitted


def joined(parts: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the parameters of all parts by name, replicas first."""
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
