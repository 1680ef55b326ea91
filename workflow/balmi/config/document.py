"""Write what is generated: schema, the manual's tables, the list of the library's files.

The list is for a workflow that is deployed from a hosting service, where a folder cannot be looked
into and files come one by one. Nothing imports this module: it may look at all that it tells of.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from balmi.config.balancing import BALANCING
from balmi.config.fingerprint import DATA_SUFFIXES, LIBRARY
from balmi.config.kinds import KINDS
from balmi.config.methods import METHODS
from balmi.config.settings import Configuration, Settings
from balmi.data.readers import FORMATS
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[3]
FILES = LIBRARY / "files.txt"
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
MANUAL = ROOT / "config" / "README.md"
DATASET_SECTIONS = {
    "datasets.(name)": "Dataset",
    "datasets.(name).modalities.(name)": "ModalityFile",
    "datasets.(name).simulate": "Simulation",
    "datasets.(name).control": "Control",
}
TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "object": "names with a section each",
    "null": "empty",
}
LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def schema_text() -> str:
    """Return the JSON schema of the configuration as YAML.

    A dataset may also be empty, which stands for the catalogue's entry of its name.
    """
    schema = Configuration.model_json_schema()
    empty = [{"type": "null"}, {"type": "object", "maxProperties": 0}]
    datasets = schema["properties"]["datasets"]["patternProperties"]
    for pattern, dataset in datasets.items():
        datasets[pattern] = {"anyOf": [*empty, dataset]}
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    head = "# Generated from balmi.config.settings by `make schema`.\n"
    return head + yaml.safe_dump(schema, sort_keys=False, width=100)


def _words(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return what a key may hold, in words."""
    if "$ref" in schema:
        target = definitions[schema["$ref"].rsplit("/", 1)[1]]
        return (
            ", ".join(f"`{value}`" for value in target["enum"]) if "enum" in target else "section"
        )
    if "anyOf" in schema:
        return " or ".join(_words(option, definitions) for option in schema["anyOf"])
    if schema["type"] == "array":
        return f"list of {_words(schema['items'], definitions)}"
    kind = TYPES[schema["type"]]
    limits = [f"{sign} {schema[key]}" for key, sign in LIMITS.items() if key in schema]
    return " ".join([kind, ", ".join(limits)]).strip()


def _default(name: str, schema: dict[str, Any], model: dict[str, Any]) -> str:
    if name in model.get("required", ()):
        return "needed"
    default = schema.get("default")
    if default is None:
        return "none"
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _table(model: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for name, schema in model["properties"].items():
        words, default = _words(schema, definitions), _default(name, schema, model)
        rows.append(f"| `{name}` | {words} | {default} | {schema['description']} |")
    return [*rows, ""]


def key_tables() -> str:
    """Return a Markdown table of keys for every section of the configuration."""
    schema = Configuration.model_json_schema()
    definitions = schema["$defs"]
    parts = []
    for title, name in DATASET_SECTIONS.items():
        parts += [f"### {title}", "", *_table(definitions[name], definitions)]
    for name, section in schema["properties"].items():
        target = definitions.get(section.get("$ref", "").rsplit("/", 1)[-1])
        if target:
            parts += [f"### {name}", "", target["description"], "", *_table(target, definitions)]
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def output_tables() -> str:
    """Return a Markdown list of all tables that are written, and of their columns."""
    rows = ["| file | content | columns |", "|---|---|---|"]
    for table in TABLES.values():
        columns = [
            f"`{name}`: {_cell(column.meaning)}"
            + (f" ({', '.join(column.values)})" if column.values else "")
            for name, column in table.columns.items()
        ]
        file = table.file.replace("{", "<").replace("}", ">")
        rows.append(f"| `{file}` | {_cell(table.meaning)} | {'<br>'.join(columns)} |")
    return "\n".join([*rows, ""])


def _rows(*rows: Sequence[str]) -> str:
    """Return a Markdown table; the first row is its head."""
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join([lines[0], f"|{'---|' * len(rows[0])}", *lines[1:], ""])


def format_table() -> str:
    """Return a Markdown table of the formats of users' files."""
    told = ((f"`{ending}`", each.meaning) for ending, each in FORMATS.items())
    return _rows(("ending", "what is read"), *told)


def kind_table() -> str:
    """Return a Markdown table of the kinds of omics."""
    told = ((f"`{kind}`", each.values, each.transform) for kind, each in KINDS.items())
    return _rows(("kind", "values", "transform"), *told)


def rule_table() -> str:
    """Return a Markdown table of the balancing rules."""
    told = ((f"`{name}`", each.meaning, each.source) for name, each in BALANCING.items())
    return _rows(("rule", "what it does", "source"), *told)


def method_table() -> str:
    """Return a Markdown table of the methods, and of what each reads of the configuration."""
    told = (
        (f"`{name}`", method.meaning, _read(method.depends(Settings())))
        for name, method in METHODS.items()
    )
    return _rows(("method", "what it is", "a change of these keys runs it again"), *told)


def _read(depends: dict[str, dict[str, Any]]) -> str:
    """Return sections of the configuration, and which of their keys are not read, in words."""
    parts = []
    for section, keys in depends.items():
        unread = [f"`{key}`" for key in getattr(Settings(), section).deciding() if key not in keys]
        parts.append(f"`{section}`" + (f" but {', '.join(unread)}" if unread else ""))
    return "; ".join(parts)


# What is generated of the manual, and what makes it.
PARTS = {
    "formats": format_table,
    "kinds": kind_table,
    "methods": method_table,
    "rules": rule_table,
    "tables": output_tables,
    "keys": key_tables,
}


def manual_text(text: str) -> str:
    """Return the manual with its generated parts renewed."""
    for name, make in PARTS.items():
        start, end = f"<!-- {name}: generated by `make schema` -->", f"<!-- end of {name} -->"
        head, rest = text.split(start)
        text = f"{head}{start}\n\n{make()}\n{end}{rest.split(end)[1]}"
    return text


def files_text() -> str:
    """Return the paths of the library's files within it, a line each."""
    paths = (path for path in LIBRARY.rglob("*") if path.suffix in {".py", *DATA_SUFFIXES})
    names = sorted(path.relative_to(LIBRARY).as_posix() for path in paths if path != FILES)
    return "\n".join([*names, ""])


def main() -> None:
    """Write all three files."""
    FILES.write_text(files_text(), encoding="utf-8")
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    MANUAL.write_text(manual_text(MANUAL.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
