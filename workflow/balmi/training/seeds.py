"""Seeds of replicas: from names and numbers, never from the order of anything."""

from __future__ import annotations

import hashlib


def replica_seed(seed: int, repeat: int, fold: int, purpose: str) -> int:
    """Return a seed that differs between replicas and purposes, and is the same on any machine.

    Parameters
    ----------
    seed
        The configured seed.
    repeat, fold
        The replica.
    purpose
        What the randomness is for, as in ``balanced/dropout``.
    """
    text = f"{seed}/{repeat}/{fold}/{purpose}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:7], "big")
