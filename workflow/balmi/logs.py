"""What a job says: to its log file, and to the terminal."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from balmi.errors import UserError
from balmi.faults import MEGABYTE, SMALLER, TIME_HELP, fault, memory_limit
from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

logger = logging.getLogger("balmi")

LOG_EVERY_SECONDS = 30.0
EPOCH = "epoch"
Item = TypeVar("Item")
SCARCE = (
    "needs about {needs:,} MB of memory and may use {limit:,} MB, so that it may end half-way; what"
    f" helps: a machine (or container) with more, or {SMALLER}"
)
TERMINATED = (
    f"ended from outside, as by a cluster's limit of time or by whoever cancels it: {TIME_HELP}"
)


class Task(Protocol):
    """What a job asks of `snakemake`, the object that Snakemake gives to every script."""

    @property
    def log(self) -> Sequence[str]:
        """The rule's log files."""

    @property
    def resources(self) -> Mapping[str, int]:
        """What the rule asks for; mem_mb is the memory that the job needs, where it is known."""


class _TerminalHandler(logging.StreamHandler):
    """Writes lines above a progress bar instead of through it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record to the terminal."""
        tqdm.write(self.format(record), file=sys.stderr)


@contextmanager
def job(
    task: Task, name: str, threads: int = 1, shown: int = logging.WARNING
) -> Iterator[logging.Logger]:
    """Set up a job's log and threads, and end it with a sentence where the job is not at fault.

    That is where the user is (`UserError`), where the machine is (`balmi.faults.fault`), and where
    the job is ended from outside. What balmi does not expect leaves its traceback.

    Parameters
    ----------
    task
        The job: its first log file is written, and where it needs more memory than it may use, that
        is said before it computes.
    name
        What the job is called in the terminal, as in ``tcga-brca: train balanced``.
    threads
        Threads of numerical libraries; idle ones would busy-wait.
    shown
        Lowest level that the terminal shows; the log file has all from ``INFO``.

    Raises
    ------
    SystemExit
        With status 1 after a message about the user's files or the machine, with 130 where the user
        interrupts, with 143 where the job is ended from outside.
    """
    file = logging.FileHandler(task.log[0], mode="w", encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    terminal = _TerminalHandler()
    terminal.setFormatter(logging.Formatter(f"[{name}] %(message)s"))
    terminal.setLevel(shown)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers[:] = [file, terminal]
    logger.info("%s, library %s", name, __file__)
    limit, needs = memory_limit() // MEGABYTE, task.resources.get("mem_mb") or 0
    logger.info("this process may use %d MB of memory", limit)
    if needs > limit:
        logger.warning(SCARCE.format(needs=needs, limit=limit))
    try:
        with threadpool_limits(threads), _terminable():
            yield logger
    except UserError as error:
        logger.error("%s", error)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        logger.error("interrupted")
        raise SystemExit(130) from None
    except Exception as error:
        if log_failure(error) is None:
            raise
        raise SystemExit(1) from None
    finally:
        file.close()


def log_failure(error: Exception) -> str | None:
    """Write to the log what stops a job, with its traceback.

    Parameters
    ----------
    error
        What was raised; it is being handled.

    Returns
    -------
    str or None
        Where the machine is at fault, what it lacks and what helps; else None.
    """
    reason = fault(error)
    if reason is None:
        logger.exception("stopped by an error that balmi does not expect")
    else:
        logger.info("what was raised", exc_info=True)
        logger.error("%s", reason)
    return reason


@contextmanager
def _terminable() -> Iterator[None]:
    """Say so where the job is asked to end, and let it tidy up, instead of dying at once."""

    def end(number: int, frame: object) -> None:
        logger.error(TERMINATED)
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may listen
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Progress:
    """How far a long piece of work is, how fast, and the time left: a bar or lines in the log.

    A terminal shows the bar. The log has a line at the end, and before it one every
    `LOG_EVERY_SECONDS`.

    Parameters
    ----------
    name
        What is done.
    unit
        What is counted: epochs of a training, which may end before the last one, or anything else.
    """

    def __init__(self, name: str, unit: str = EPOCH) -> None:
        self._name, self._unit = name, unit
        self._start = self._logged = time.monotonic()
        self._bar: tqdm | None = None

    def __call__(self, done: int, total: int, active: int | None = None) -> None:
        """Report what is done, of how much at most, and the replicas that still train, if any."""
        now = time.monotonic()
        last = done == total or active == 0
        training = "" if active is None else f"{counted(active, 'replica')} training"
        if sys.stderr.isatty():
            self._bar = self._bar or tqdm(
                total=total, desc=self._name, unit=self._unit, leave=False
            )
            self._bar.set_postfix_str(training, refresh=False)
            self._bar.update(done - self._bar.n)
            if last:
                self.close()
        if last or now - self._logged >= LOG_EVERY_SECONDS:
            self._logged = now
            each = (now - self._start) / done
            left = 0.0 if last else each * (total - done)
            most = "at most " if self._unit == EPOCH else ""
            told = [f"{self._name}: {self._unit} {done} of {most}{total}", training, _rate(each)]
            told.append(f"{most}{tqdm.format_interval(left)} left")
            logger.info("%s", ", ".join(filter(None, told)))

    def close(self) -> None:
        """Take the bar away, if there is one: also of work that ends before all is done."""
        if self._bar is not None:
            self._bar.close()


def _rate(seconds: float) -> str:
    """Return how fast it goes, by the seconds that each takes."""
    if seconds >= 1:
        return f"{seconds:.1f} s each"
    return f"{1 / seconds:.1f} per s" if seconds else ""


def followed(items: Sequence[Item], name: str, unit: str) -> Iterator[Item]:
    """Yield items one by one, and report after each how far the work on them is.

    Parameters
    ----------
    items
        What is worked on; of a single one nothing is reported.
    name, unit
        As `Progress` takes them.
    """
    progress = Progress(name, unit)
    try:
        for number, item in enumerate(items, start=1):
            yield item
            if len(items) > 1:
                progress(number, len(items))
    finally:
        progress.close()
