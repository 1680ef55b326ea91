"""Seeds of replicas: from names and numbers, never from the order of anything."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.data.splits import Split


def replica_seed(seed: int, split: Split, purpose: str) -> int:
    """Return a seed that differs between replicas and purposes, and is the same on any machine.

    Parameters
    ----------
    seed
        The configured seed.
    split
        The replica: repeat, fold and member.
    purpose
        What the randomness is for, as in ``balanced/dropout``.
    """
    text = f"{seed}/{split.repeat}/{split.fold}/{split.member}/{purpose}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:7], "big")


def replica_generators(seed: int, splits: Sequence[Split], purpose: str) -> list[torch.Generator]:
    """Return one source of randomness per replica, on the CPU."""
    return [torch.Generator().manual_seed(replica_seed(seed, split, purpose)) for split in splits]


def dropout_noise(
    sizes: list[int], columns: int, generators: list[torch.Generator], like: torch.Tensor
) -> torch.Tensor:
    """Draw every replica's uniform numbers from its own source.

    Drawn on the CPU in float32 wherever and however precisely the network trains, and never for
    padding, so that neither company nor precision nor device changes a replica's stream.

    Parameters
    ----------
    sizes
        Real samples per replica.
    columns
        Numbers per sample.
    generators
        One source of randomness per replica.
    like
        A tensor of the type and device that is wanted.

    Returns
    -------
    torch.Tensor
        (replicas, longest, columns), type and device of `like`.
    """
    noise = torch.zeros(len(sizes), max(sizes), columns)
    for replica, (size, generator) in enumerate(zip(sizes, generators, strict=True)):
        noise[replica, :size] = torch.rand(size, columns, generator=generator)
    return noise.to(device=like.device, dtype=like.dtype)
