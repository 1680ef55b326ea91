"""Errors of the machine in words: what ran out, how much of it there was, and what helps."""

from __future__ import annotations

import errno
import os
import resource
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEGABYTE = 10**6
SMALLER = "make it smaller by preprocessing.max_features or advanced.training.replicas"
MEMORY_HELP = (
    "give the job more memory (on a cluster `--set-resources RULE:mem_mb=16000`), run fewer jobs at"
    f" once (`--cores`), or {SMALLER}"
)
GPU_HELP = "a GPU with more memory, or fewer networks at once: advanced.training.replicas"
DISK_HELP = "make room there, or start in a folder on a larger disk; a run goes on where it stopped"
TIME_HELP = "give the job more time (in minutes: `--set-resources RULE:runtime=240`)"
# What torch, C++, Linux, HDF5, threads and the loading of libraries say where there is no memory.
OF_MEMORY = (
    "can't allocate memory",
    "std::bad_alloc",
    "Cannot allocate memory",
    "memory allocation failed",
    "can't start new thread",
    "failed to map segment from shared object",
)
CGROUPS = Path("/sys/fs/cgroup")


def memory_limit(membership: Path = Path("/proc/self/cgroup"), root: Path = CGROUPS) -> int:
    """Return how many bytes of memory this process may use.

    The least of what the machine has, what the process's control groups may use (a cluster's job, a
    container) and what ``ulimit -v`` allows.

    Parameters
    ----------
    membership, root
        Where Linux says which control groups the process belongs to, and what those may use.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    limits += _group_limits(membership, root)
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    return min(limits if allowed == resource.RLIM_INFINITY else [*limits, allowed])


def _group_limits(membership: Path, root: Path) -> Iterator[int]:
    """Yield the limits of the process's control groups and of those around them."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers not in {"", "memory"}:
            continue
        top, file = (root / controllers, "limit_in_bytes" if controllers else "max")
        own = top / group.lstrip("/")
        for folder in (own, *own.parents):
            with suppress(OSError, ValueError):  # no file, or the word max: no limit
                yield int((folder / f"memory.{file}").read_text(encoding="utf-8"))
            if folder == top:
                break


def _is_of_gpu(error: BaseException) -> bool:
    return "CUDA out of memory" in str(error) or "HIP out of memory" in str(error)


def _is_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or any(each in str(error) for each in OF_MEMORY)


def _is_of_disk(error: BaseException) -> bool:
    # HDF5 and Rust put the reason into the text alone.
    full = getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}
    return full or "No space left on device" in str(error) or "quota exceeded" in str(error)


def _of_gpu(error: BaseException) -> str:
    return f"out of memory on the GPU: {_first_line(error)}; what helps: {GPU_HELP}"


def _of_memory(error: BaseException) -> str:
    limit = memory_limit() // MEGABYTE
    return (
        f"out of memory: this process may use {limit:,} MB ({_first_line(error)}); what helps:"
        f" {MEMORY_HELP}"
    )


def _of_disk(error: BaseException) -> str:
    named = getattr(error, "filename", None)
    place = Path(os.fsdecode(named) if isinstance(named, str | bytes) else ".").absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free // MEGABYTE
    return (
        f"the disk is full: {free:,} MB are left where {place} lies ({_first_line(error)}); what"
        f" helps: {DISK_HELP}"
    )


def _first_line(error: BaseException) -> str:
    """Return what an error says, and what was noted to it: the file that was read."""
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ", ".join([said, *getattr(error, "__notes__", ())])


_FAULTS: tuple[tuple[Callable[[BaseException], bool], Callable[[BaseException], str]], ...] = (
    (_is_of_gpu, _of_gpu),
    (_is_of_memory, _of_memory),
    (_is_of_disk, _of_disk),
)


def fault(error: BaseException) -> str | None:
    """Return what of the machine an error says has run out, how much there is, and what helps.

    Parameters
    ----------
    error
        What a job raised. What caused it is looked at too.

    Returns
    -------
    str or None
        A sentence, or None where the machine is not at fault.
    """
    while error is not None:
        for matches, words in _FAULTS:
            if matches(error):
                return words(error)
        error = error.__cause__
    return None
