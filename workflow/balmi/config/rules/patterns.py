"""Patterns of wildcards."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def any_of(names: Iterable[str]) -> str:
    """Return a pattern that matches the names and nothing else."""
    return "|".join(re.escape(name) for name in names) or "(?!)"
