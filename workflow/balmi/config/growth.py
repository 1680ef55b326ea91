"""Resources that grow with every attempt of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def growing(amount: int) -> Callable[[object, int], int]:
    """Return a resource function for a rule: `amount` at first, twice that at the second try.

    Parameters
    ----------
    amount
        Megabytes or minutes of the first attempt.
    """

    def resource(wildcards: object, attempt: int) -> int:
        return amount * attempt

    return resource
