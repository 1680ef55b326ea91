"""The name of several modalities together, as all tables have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SIGN = "+"  # no name of a modality holds it


def together(modalities: Iterable[str]) -> str:
    """Return the name of several modalities, in the order given: ``rna+protein``."""
    return SIGN.join(modalities)


def apart(name: str) -> list[str]:
    """Return the modalities that `together` made a name of; none of the empty name."""
    return name.split(SIGN) if name else []
