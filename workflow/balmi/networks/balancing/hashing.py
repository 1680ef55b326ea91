"""Normal numbers that are a function of a key: nothing to draw in order, nothing to remember."""

from __future__ import annotations

import math

import torch

KEY_COLUMNS = 2
KEY_SIZE = 2**24  # values of a uniform number in single precision
WORD = 2**32
GOLDEN = 0x9E3779B9  # 2^32 over the golden ratio, which sets streams apart


def replica_keys(noise: torch.Tensor) -> torch.Tensor:
    """Return each replica's key, made from the uniform numbers of its first sample.

    Parameters
    ----------
    noise
        Uniform numbers of single precision; (replicas, samples, `KEY_COLUMNS`).

    Returns
    -------
    torch.Tensor
        (replicas, `KEY_COLUMNS`), int64.
    """
    return (noise[:, 0].double() * KEY_SIZE).long()


def mixed(words: torch.Tensor) -> torch.Tensor:
    """Mix the bits of 32-bit words kept in int64: the multiply-xorshift hash `lowbias32`."""
    words = words ^ (words >> 16)
    words = (words * 0x7FEB352D) & (WORD - 1)
    words = words ^ (words >> 15)
    words = (words * 0x846CA68B) & (WORD - 1)
    return words ^ (words >> 16)


def hashed_normals(keys: torch.Tensor, stream: int, rows: int, columns: int) -> torch.Tensor:
    """Return standard normal numbers, by Box and Muller from hashed cells.

    A cell's number depends on key, stream, row, column and the number of columns only, so that
    neither the company of a replica nor its padding changes it.

    Parameters
    ----------
    keys
        `replica_keys`; (replicas, `KEY_COLUMNS`).
    stream
        Sets apart what is drawn with the same keys.
    rows, columns
        Shape of one replica's numbers.

    Returns
    -------
    torch.Tensor
        (replicas, rows, columns), float64.
    """
    first, second = mixed((keys + stream * GOLDEN) & (WORD - 1)).unsqueeze(-1).unbind(dim=1)
    cells = 2 * torch.arange(rows * columns, device=keys.device)
    radius, angle = (
        (mixed(mixed((cells + offset + first) & (WORD - 1)) ^ second).double() + 0.5) / WORD
        for offset in (0, 1)
    )
    normals = torch.sqrt(-2 * torch.log(radius)) * torch.cos(2 * math.pi * angle)
    return normals.reshape(len(keys), rows, columns)
