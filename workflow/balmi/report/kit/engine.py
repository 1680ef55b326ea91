"""The drawing engine in a process of its own: where it dies, the job goes on and can say so.

vl-convert draws by V8, which reserves 34 to 68 GB of addresses as it starts, of which it uses few.
Where it may not (``ulimit -v``, SGE's ``h_vmem``), it raises nothing: it ends its process.
"""

from __future__ import annotations

import atexit
import logging
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from balmi.faults import MEGABYTE, MEMORY_HELP, fault

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger("balmi")

COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("vega.py")))
ENOUGH = 36_000 * MEGABYTE  # bytes of addresses with which V8 starts
MOST_LINES = 6  # of what it says as it ends
ADDRESSES = (
    "the engine that draws reserves 36,000 MB of addresses as it starts, whatever it uses of them,"
    " and a process may reserve {allowed:,} MB here (`ulimit -v`; h_vmem on SGE): lift this limit"
    " of address space, as by `ulimit -v unlimited`, and run the same command again"
)
ENDED = "the engine that draws was ended by {signal}; what helps, where it wants memory: {help}"


class Undrawn(Exception):
    """A figure cannot be drawn on this machine; the message says why, and what helps."""


class Engine:
    """A process that calls vl-convert.

    Parameters
    ----------
    command
        Starts it.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self.failure: str | None = None  # why it draws no more
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the process)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said
        )
        atexit.register(self.close)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
        self._said.close()

    def __call__(self, name: str, **arguments: Any) -> Any:
        """Call a function of vl-convert.

        Parameters
        ----------
        name, arguments
            The function, and what it takes.

        Raises
        ------
        Undrawn
            Where the machine does not let the process live.
        RuntimeError
            Where the function raises.
        """
        if self.failure is not None:
            raise Undrawn(self.failure)
        try:
            pickle.dump((name, arguments), self._process.stdin)
            self._process.stdin.flush()
            return pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            self.failure = self._reason(self._process.wait())
            raise Undrawn(self.failure) from None

    def _reason(self, status: int) -> str:
        """Return why the process ended, where that is the machine's doing."""
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace").strip().splitlines()
        told = "\n".join(said[:MOST_LINES])
        logger.info("the engine that draws ended with status %d: %s", status, told)
        if status < 0:
            return _of_signal(signal.Signals(-status))
        error = RuntimeError(said[-1] if said else f"status {status}")
        reason = fault(error)
        if reason is None:
            raise error
        return reason


def _of_signal(number: signal.Signals) -> str:
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed == resource.RLIM_INFINITY or allowed > ENOUGH:
        return ENDED.format(signal=number.name, help=MEMORY_HELP)
    return ADDRESSES.format(allowed=allowed // MEGABYTE)


@cache
def engine() -> Engine:
    """Return this process's engine, started where there is none: that takes it a second."""
    return Engine()
