"""Keys that a configuration file gives twice.

Loaders of YAML and JSON keep the last of them and say nothing, so the files are read once more, for
their keys alone.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from balmi.errors import Problem, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

MERGE = "tag:yaml.org,2002:merge"  # `<<` brings in keys of another mapping, and may do so twice
ONCE = "every key once: of several the last would count, and the others go without a word"


def repeated_keys(path: str | Path) -> list[Problem]:
    """Return a problem for every key that a mapping of a configuration file has more than once.

    Parameters
    ----------
    path
        A file that Snakemake has read already, as JSON if it is JSON and else as YAML.
    """
    near = os.path.relpath(path)
    file = str(path) if near.startswith(os.pardir) else near
    text = Path(path).read_text(encoding="utf-8")
    try:
        return [Problem(f"{file}: {key}", "given more than once", ONCE) for key in _in_json(text)]
    except ValueError:
        found = sorted(_in_yaml(text), key=lambda each: each[1])
    return [
        Problem(f"{file}: {key}", f"given {len(lines)} times, in lines {listing(lines)}", ONCE)
        for key, lines in found
    ]


def _in_json(text: str) -> list[str]:
    repeated: list[str] = []

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        repeated.extend(key for key in dict.fromkeys(keys) if keys.count(key) > 1)
        return dict(pairs)

    json.loads(text, object_pairs_hook=mapping)
    return repeated


def _in_yaml(text: str) -> list[tuple[str, list[int]]]:
    """Return the dotted name and the lines of every repeated key."""
    loader = yaml.FullLoader(text)  # the one that Snakemake uses
    seen: set[yaml.Node] = set()

    def look(node: yaml.Node, names: tuple[str, ...]) -> Iterator[tuple[str, list[int]]]:
        if node in seen:  # an alias of what stands elsewhere
            return
        seen.add(node)
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from look(item, names)
        if not isinstance(node, yaml.MappingNode):
            return
        uses = defaultdict(list)
        for key, value in node.value:
            if key.tag != MERGE:
                # Two spellings of one key are one key: a and "a", 1 and 1.0.
                uses[loader.construct_object(key, deep=True)].append(key)
            yield from look(value, (*names, str(key.value)))
        for keys in uses.values():
            if len(keys) > 1:
                lines = [key.start_mark.line + 1 for key in keys]
                yield ".".join((*names, str(keys[0].value))), lines

    try:
        root = loader.get_single_node()
        return list(look(root, ())) if root else []
    finally:
        loader.dispose()
