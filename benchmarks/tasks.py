"""All tasks of the benchmark, by kind and name."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from gate_tasks import gates, random_tables
from label_tasks import label_tasks
from pair_tasks import pair_tasks
from spectrum_tasks import spectrum_label_tasks, spectrum_pair_tasks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from task import Gate, Task

KINDS = MappingProxyType(
    {
        "label": label_tasks,
        "pair": pair_tasks,
        "gate": gates,
        "table": random_tables,
        "spectrum-label": spectrum_label_tasks,
        "spectrum-pair": spectrum_pair_tasks,
    }
)


@cache
def tasks_of(kind: str) -> Mapping[str, Task | Gate]:
    """Return the tasks of a kind by name; made once per process, so that truths are found once."""
    return MappingProxyType({task.name: task for task in KINDS[kind]()})
