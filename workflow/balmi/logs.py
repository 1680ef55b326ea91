"""What a job says: to its log file, and to the terminal."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from balmi.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger("balmi")

LOG_EVERY_SECONDS = 5.0


class _TerminalHandler(logging.StreamHandler):
    """Writes lines above a progress bar instead of through it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record to the terminal."""
        tqdm.write(self.format(record), file=sys.stderr)


@contextmanager
def job(
    log: str, name: str, threads: int = 1, shown: int = logging.WARNING
) -> Iterator[logging.Logger]:
    """Set up a job's log and threads, and end it without a traceback where the user is at fault.

    Parameters
    ----------
    log
        The log file.
    name
        What the job is called in the terminal, as in ``tcga-brca: train balanced``.
    threads
        Threads of numerical libraries; idle ones would busy-wait.
    shown
        Lowest level that the terminal shows; the log file has all from ``INFO``.

    Raises
    ------
    SystemExit
        With status 1 after the message of a `UserError`, with 130 where the user interrupts.
    """
    file = logging.FileHandler(log, mode="w", encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    terminal = _TerminalHandler()
    terminal.setFormatter(logging.Formatter(f"[{name}] %(message)s"))
    terminal.setLevel(shown)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers[:] = [file, terminal]
    logger.info("%s, library %s", name, __file__)
    try:
        with threadpool_limits(threads):
            yield logger
    except UserError as error:
        logger.error("%s", error)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        logger.error("interrupted")
        raise SystemExit(130) from None
    except Exception:
        logger.exception("stopped by an error that balmi does not expect")
        raise
    finally:
        file.close()


class Progress:
    """Epochs, replicas and time left of one training: a bar in a terminal, lines in the log.

    Parameters
    ----------
    name
        What is trained.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._start = self._logged = time.monotonic()
        self._bar: tqdm | None = None

    def __call__(self, epoch: int, epochs: int, active: int) -> None:
        """Report the epochs done, their largest number, and the replicas that still train."""
        now = time.monotonic()
        last = epoch == epochs or active == 0
        if sys.stderr.isatty():
            self._bar = self._bar or tqdm(total=epochs, desc=self._name, unit="epoch", leave=False)
            self._bar.set_postfix_str(f"{active} replicas training", refresh=False)
            self._bar.update()
            if last:
                self._bar.close()
        if last or now - self._logged >= LOG_EVERY_SECONDS:
            self._logged = now
            left = 0.0 if last else (now - self._start) / epoch * (epochs - epoch)
            logger.info(
                "%s: epoch %d of at most %d, %d replicas training, at most %.0f s left",
                *(self._name, epoch, epochs, active, left),
            )
