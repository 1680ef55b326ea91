"""What a job could not do, noted beside its log, so that the next run tries again.

What tells of a failure, such as a page without its figures, is a whole file to Snakemake, which
would never make it anew. So the time of the note is among the parameters of the rule: a job that
fails writes a new one, which differs from what Snakemake remembers; one that does not leaves the
time as it was.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Note:
    """A kind of note.

    Parameters
    ----------
    ending
        That of its file, which lies beside the job's log.
    """

    ending: str

    def write(self, log: str | Path, reason: str | None) -> None:
        """Note whether a job could do what it should.

        Parameters
        ----------
        log
            The job's log.
        reason
            Why it could not; None where it could.
        """
        before = self._read(log)
        if reason == before["reason"] is None:
            return
        since = before["since"] if reason is None else time.time_ns()
        text = json.dumps({"since": since, "reason": reason}) + "\n"
        Path(log).with_suffix(self.ending).write_text(text, encoding="utf-8")

    def since(self, log: str | Path) -> int | None:
        """Return when the job failed for the last time, in nanoseconds; None where it never did."""
        return self._read(log)["since"]

    def reason(self, log: str | Path) -> str | None:
        """Return why the job could not do it when it ran last; None where it could."""
        return self._read(log)["reason"]

    def _read(self, log: str | Path) -> dict:
        path = Path(log).with_suffix(self.ending)
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"since": None, "reason": None}


UNDRAWN = Note(".undrawn")  # figures that could not be drawn
REFUSED = Note(".refused")  # new samples that were not predicted, or have no page
