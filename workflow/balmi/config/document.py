"""Write what is generated: schema, the manual's tables, the list of the library's files.

The list is for a workflow that is deployed from a hosting service, where a folder cannot be looked
into and files come one by one. Nothing imports this module: it may look at all that it tells of.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from balmi.config.advanced import ADVANCED, SECTIONS, SEED, keys_of
from balmi.config.balancing import BALANCING
from balmi.config.fingerprint import DATA_SUFFIXES, LIBRARY
from balmi.config.kinds import KINDS
from balmi.config.methods import METHODS
from balmi.config.settings import Configuration, Settings
from balmi.data.readers import FORMATS
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).parents[3]
FILES = LIBRARY / "files.txt"
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
MANUAL = ROOT / "config" / "README.md"
DATASET_SECTIONS = {
    "datasets.(name)": "Dataset",
    "datasets.(name).modalities.(name)": "ModalityFile",
    "datasets.(name).simulate": "Simulation",
    "datasets.(name).control": "Control",
    "predict.(name)": "Prediction",
    "predict.(name).modalities.(name)": "NewFile",
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
    schema = _parted(Configuration.model_json_schema())
    empty = [{"type": "null"}, {"type": "object", "maxProperties": 0}]
    datasets = schema["properties"]["datasets"]["patternProperties"]
    for pattern, dataset in datasets.items():
        datasets[pattern] = {"anyOf": [*empty, dataset]}
    schema["anyOf"] = [{"required": [key]} for key in ("datasets", "predict")]
    del schema["required"]
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    head = "# Generated from balmi.config.settings by `make schema`.\n"
    return head + yaml.safe_dump(schema, sort_keys=False, width=100)


def _parted(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the settings with the advanced keys below a key of their own.

    Sections without any other key leave the top.
    """
    definitions, tops = schema["$defs"], schema["properties"]
    below: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        usual = definitions[section.__name__]
        keys = {key: usual["properties"].pop(key) for key in keys_of(name, advanced=True)}
        if not keys:
            continue
        if SEED in keys:
            del keys[SEED]["default"]
            keys[SEED]["description"] += " (unless set: the seed at the top)"
        definition = f"Advanced{section.__name__}"
        definitions[definition] = {**usual, "properties": keys, "title": definition}
        below[name] = {"$ref": f"#/$defs/{definition}", "description": tops[name]["description"]}
        if not usual["properties"]:
            del definitions[section.__name__], tops[name]
    definitions["Advanced"] = {
        "additionalProperties": False,
        "description": "Keys that few ever set.",
        "properties": below,
        "title": "Advanced",
        "type": "object",
    }
    tops[ADVANCED] = {"$ref": "#/$defs/Advanced", "description": "keys that few ever set"}
    return schema


def _words(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return what a key may hold, in words."""
    if "$ref" in schema:
        target = definitions[schema["$ref"].rsplit("/", 1)[1]]
        return (
            ", ".join(f"`{value}`" for value in target["enum"]) if "enum" in target else "section"
        )
    if "anyOf" in schema:
        return " or ".join(_words(option, definitions) for option in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
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


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in (head, *rows)]
    return "\n".join([lines[0], f"|{'---|' * len(head)}", *lines[1:], ""])


def _keys(model: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return a Markdown table of the keys of a section."""
    rows = (
        (
            f"`{name}`",
            _words(schema, definitions),
            _default(name, schema, model),
            schema["description"],
        )
        for name, schema in model["properties"].items()
    )
    return _table(("key", "value", "default", "meaning"), rows)


def key_tables() -> str:
    """Return a Markdown table of keys for every section of the configuration."""
    schema = _parted(Configuration.model_json_schema())
    definitions = schema["$defs"]
    properties = schema["properties"].items()
    top = {
        key: value
        for key, value in properties
        if key not in {*SECTIONS, "datasets", "predict", ADVANCED}
    }
    sections = {name: value for name, value in properties if name in SECTIONS}
    below = definitions["Advanced"]["properties"]
    sections |= {f"{ADVANCED}.{name}": section for name, section in below.items()}
    parts = ["### At the top", "", _keys({"properties": top}, definitions)]
    for title, name in DATASET_SECTIONS.items():
        parts += [f"### {title}", "", _keys(definitions[name], definitions)]
    for title, section in sections.items():
        target = definitions[section["$ref"].rsplit("/", 1)[-1]]
        parts += [f"### {title}", "", target["description"], "", _keys(target, definitions)]
    return "\n".join(parts)


def output_tables() -> str:
    """Return a Markdown list of all tables that are written, and of their columns."""
    rows = []
    for table in TABLES.values():
        columns = [
            f"`{name}`: {column.meaning}"
            + (f" ({', '.join(column.values)})" if column.values else "")
            for name, column in table.columns.items()
        ]
        file = table.file.replace("{", "<").replace("}", ">")
        rows.append((f"`{file}`", table.meaning, "<br>".join(columns)))
    return _table(("file", "content", "columns"), rows)


def format_table() -> str:
    """Return a Markdown table of the formats of users' files."""
    rows = ((f"`{ending}`", file_format.meaning) for ending, file_format in FORMATS.items())
    return _table(("ending", "what is read"), rows)


def kind_table() -> str:
    """Return a Markdown table of the kinds of omics."""
    rows = ((f"`{kind}`", traits.values, traits.transform) for kind, traits in KINDS.items())
    return _table(("kind", "values", "transform"), rows)


def rule_table() -> str:
    """Return a Markdown table of the balancing rules."""
    rows = ((f"`{name}`", rule.meaning, rule.source) for name, rule in BALANCING.items())
    return _table(("rule", "what it does", "source"), rows)


def method_table() -> str:
    """Return a Markdown table of the methods, and of what each reads of the configuration."""
    rows = (
        (f"`{name}`", method.meaning, _read(method.depends(Settings())))
        for name, method in METHODS.items()
    )
    return _table(("method", "what it is", "a change of these keys runs it again"), rows)


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
