"""Turn the configuration's mapping into its model, or say everything that is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from balmi.config.advanced import ADVANCED, ELSEWHERE, gathered, place_of, places_of, usual_keys
from balmi.config.catalogue import catalogue
from balmi.config.kinds import ALSO_CALLED, Kind
from balmi.config.settings import (
    CONTROL_KEYS,
    COPY,
    Configuration,
    PredictionsAlone,
    Simulation,
)
from balmi.config.twice import repeated_keys
from balmi.errors import Problem, UserError, listing, nearest, shown, shown_or_nothing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

KEY_MARK = "[key]"  # pydantic's last part of the location of a mapping's bad key


def load_settings(config: object, files: Iterable[str | Path] = ()) -> Configuration:
    """Return the validated configuration.

    Parameters
    ----------
    config
        The configuration as read from YAML.
    files
        The files that it was read from, in which no mapping may have a key twice.

    Raises
    ------
    UserError
        With every problem of the configuration.
    """
    if not isinstance(config, Mapping):
        keys = listing(usual_keys(Configuration))
        raise UserError(
            Problem("configuration", shown_or_nothing(config), f"a mapping with the keys {keys}")
        )
    problems = [problem for file in dict.fromkeys(files) for problem in repeated_keys(file)]
    content, unknown = _with_catalogue(config)
    content, misplaced = gathered(content)
    problems += unknown + misplaced
    try:
        alone = "datasets" not in content and content.get("predict")
        settings = (PredictionsAlone if alone else Configuration).model_validate(content)
    except ValidationError as error:
        problems += problems_of(error)
    if problems:
        raise UserError(problems)
    return settings


def problems_of(error: ValidationError, root: type[BaseModel] = Configuration) -> list[Problem]:
    """Return what pydantic found wrong, in words for users.

    Parameters
    ----------
    error
        What it raised.
    root
        The model that it validated.
    """
    return [
        _problem({**detail, "root": root, "loc": _counted_from_one(root, detail["loc"])})
        for detail in error.errors()
    ]


@dataclass(frozen=True)
class _Entry:
    """A part of a location: an entry of a list, of which people count the first as 1."""

    number: int


def _counted_from_one(root: type[BaseModel], location: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a location of pydantic's, in which numbers of entries are told from numeric keys."""

    def is_list(place: int) -> bool:
        model = _model_at(root, location[:place])
        field = model.model_fields.get(str(location[place])) if model else None
        own = field.annotation if field else None
        return any(get_origin(each) is list for each in (own, *get_args(own)))

    return tuple(
        _Entry(part + 1) if isinstance(part, int) and place and is_list(place - 1) else part
        for place, part in enumerate(location)
    )


def _with_catalogue(config: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Let a dataset with nothing below it stand for the catalogue's entry of its name."""
    content = dict(config)
    problems: list[Problem] = []
    datasets = content.get("datasets")
    if not isinstance(datasets, dict):
        return content, problems
    content["datasets"] = {}
    for name, value in datasets.items():
        empty = value is None or value == {}
        dataset = {"catalogue": str(name)} if empty else value
        content["datasets"][name] = dataset
        if not isinstance(dataset, dict):
            continue
        problems += _source_problems(name, dataset)
        problems += _control_problems(name, dataset)
        entry = dataset.get("catalogue")
        if not isinstance(entry, str):
            continue
        if entry not in catalogue():
            problems.append(
                Problem(
                    _path(["datasets", name] + ([] if empty else ["catalogue"])),
                    "nothing" if empty else f"{shown(entry)}, which is no entry of the catalogue",
                    f"{listing(catalogue())}" + (", or files of your own" if empty else ""),
                    nearest(entry, catalogue()),
                )
            )
        elif dataset.get("simulate") is not None:
            problems += _simulation_problems(name, entry, dataset["simulate"])
    return content, problems


def _simulation_problems(name: str, entry: str, simulate: object) -> Iterator[Problem]:
    """Yield what does not suit the entry of the catalogue whose simulation is set."""
    where = ["datasets", name, "simulate"]
    design = catalogue()[entry].simulate
    if design is None:
        yield Problem(
            _path(where),
            f"settings of a simulation, but {entry!r} is not simulated",
            "simulate only beside a simulated entry: "
            + listing(key for key, item in catalogue().items() if item.simulate),
        )
        return
    allowed = [key for key in Simulation.model_fields if key not in design.foreign]
    for key in sorted(design.foreign & set(simulate if isinstance(simulate, Mapping) else ())):
        found = f"a key that the simulation of {entry!r} does not have"
        yield Problem(_path([*where, key]), found, f"one of {listing(allowed)}")


def _modalities(dataset: Mapping[str, Any]) -> list[str]:
    """Return the names of a dataset's modalities, as far as they are known."""
    entry, files = dataset.get("catalogue"), dataset.get("modalities")
    if isinstance(entry, str) and entry in catalogue():
        return list(catalogue()[entry].kinds)
    return [str(key) for key in files] if isinstance(files, Mapping) else []


def _unknown(where: list[object], named: object, known: list[str]) -> Iterator[Problem]:
    """Yield the texts of a list that name no modality of the dataset; nothing where it is none."""
    texts = named if isinstance(named, list) else []
    for each in dict.fromkeys(text for text in texts if isinstance(text, str)):
        if known and each not in known:
            found = f"{shown(each)}, which is no modality of the dataset"
            yield Problem(_path(where), found, f"one of {listing(known)}", nearest(each, known))


def _source_problems(name: object, dataset: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is said to have made the label and is no modality."""
    where = ["datasets", name, "label_from"]
    yield from _unknown(where, dataset.get("label_from"), _modalities(dataset))


def _control_problems(name: object, dataset: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what of a dataset's control does not suit its modalities."""
    control, known = dataset.get("control"), _modalities(dataset)
    if not isinstance(control, Mapping) or not known:
        return
    where = ["datasets", name, "control"]
    named = {
        key: [each for each in control[key] if isinstance(each, str)]
        for key in CONTROL_KEYS
        if isinstance(control.get(key), list)
    }
    for key, modalities in named.items():
        yield from _unknown([*where, key], modalities, known)
    uses = Counter(each for modalities in named.values() for each in modalities)
    for each in (each for each, count in uses.items() if count > 1):
        keys = [key for key, modalities in named.items() for one in modalities if one == each]
        found = f"{shown(each)} in {' and '.join(keys)}"
        yield Problem(_path(where), found, "every modality in one control, once")
    if set(known) <= set(named.get("without", ())):
        yield Problem(_path([*where, "without"]), "every modality", "one that stays, or more")
    for each in named.get("duplicated", ()):
        if COPY.format(each) in known:
            found = f"{shown(each)}, whose copy would be named as another modality is"
            allowed = f"a modality without {shown(COPY.format(each))} beside it"
            yield Problem(_path([*where, "duplicated"]), found, allowed)


def _path(location: Sequence[object]) -> str:
    """Return a location, as in ``methods, entry 3``; parts that cannot be seen are escaped."""
    entries = [part for part in location if isinstance(part, _Entry)]
    keys = [str(part) for part in location if not isinstance(part, _Entry)]
    dotted = ".".join(key if key and key.isprintable() else repr(key) for key in keys)
    return ", ".join([dotted, *(f"entry {entry.number}" for entry in entries)])


def _model_at(root: type[BaseModel], location: Iterable[object]) -> type[BaseModel] | None:
    """Return the model that lies at a location below another model."""
    model: Any = root
    for part in location:
        if isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(str(part))
            model = field.annotation if field else None
        else:
            model = next((arg for arg in reversed(get_args(model)) if arg is not type(None)), None)
        for arg in get_args(model):
            if (
                isinstance(arg, type)
                and issubclass(arg, BaseModel)
                and type(None) in get_args(model)
            ):
                model = arg
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _keys_of(model: type[BaseModel], location: Iterable[object]) -> list[str]:
    """Return the keys that stand at a location, or where they stand if none does."""
    places = (_path(place_of([*location, name])) for name in model.model_fields)
    return usual_keys(model) or list(places)


def _unknown_key(detail: Mapping[str, Any], where: str) -> Problem:
    *parents, key = detail["loc"]
    model = _model_at(detail["root"], parents)
    if model is None:
        return Problem(where, "an unknown key", "no key")
    elsewhere = places_of(key)
    if elsewhere and parents[:1] != ["datasets"]:
        return Problem(where, ELSEWHERE, ", or ".join(elsewhere))
    near = nearest(key, [*usual_keys(model), *model.model_fields])
    place = _path(place_of([*parents, near.strip("'")])) if near else None
    # A key that stands elsewhere may be the nearest one.
    found = repr(place) if place and place.startswith(f"{ADVANCED}.") else near
    allowed = f"one of {listing(_keys_of(model, parents))}"
    return Problem(where, "an unknown key", allowed, found)


def _missing(detail: Mapping[str, Any], where: str) -> Problem:
    *parents, key = detail["loc"]
    model = _model_at(detail["root"], parents)
    description = model.model_fields[str(key)].description if model else None
    return Problem(where, "nothing", f"needed: {description or 'a value'}")


def _no_option(detail: Mapping[str, Any], where: str) -> Problem:
    options = detail["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
    called = ALSO_CALLED if set(options) == set(Kind) else {}
    near = nearest(detail["input"], [*options, *called])
    meant = called.get((near or "").strip("'"))
    return Problem(
        where,
        shown_or_nothing(detail["input"]),
        f"one of {', '.join(options)}",
        repr(str(meant)) if meant else near,
    )


def _bad_name(detail: Mapping[str, Any], where: str) -> Problem:
    allowed = "at most 100 letters, digits, '.', '_' and '-', with a letter or a digit among them"
    return Problem(where, shown(detail["input"]), allowed)


# What YAML makes of text without quotes.
_UNQUOTED = {
    bool: "text in quotes: without them, yes, no, on, off, true and false are no words in YAML",
    int: "text: write a number in quotes",
    float: "text: write a number in quotes",
    date: "text: write a date in quotes",
    datetime: "text: write a time in quotes",
}


def _no_text(detail: Mapping[str, Any], where: str) -> Problem:
    value = detail["input"]
    found = str(value) if isinstance(value, date) else shown_or_nothing(value)
    if detail["type"] == "invalid_key" or detail["loc"][-1] == KEY_MARK:
        allowed = _UNQUOTED.get(type(value), "a name, in quotes where it is null, ~ or empty")
        return Problem(where, f"the key {found}, which is no text", allowed)
    return Problem(where, found, _UNQUOTED.get(type(value), "text"))


def _no_mapping(detail: Mapping[str, Any], where: str) -> Problem:
    model = _model_at(detail["root"], detail["loc"])
    keys = (
        f"the keys {listing(_keys_of(model, detail['loc']))}" if model else "names of your choice"
    )
    return Problem(where, shown_or_nothing(detail["input"]), f"a mapping with {keys}")


def _too_short(detail: Mapping[str, Any], where: str) -> Problem:
    return Problem(where, shown(detail["input"]), f"at least {detail['ctx']['min_length']} entry")


def _empty_text(detail: Mapping[str, Any], where: str) -> Problem:
    return Problem(where, shown(detail["input"]), "text that is not empty")


def _refused(detail: Mapping[str, Any], _: str) -> Problem:
    context = detail["ctx"]
    where = _path(place_of([*detail["loc"][:-1], *filter(None, [context["key"]])]))
    return Problem(where, context["found"], context["allowed"])


def _no_list(detail: Mapping[str, Any], where: str) -> Problem:
    value = detail["input"]
    example = f"[{value}]" if isinstance(value, str) else "[first, second]"
    return Problem(where, shown_or_nothing(value), f"a list, such as {example}")


_TRANSLATIONS = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "enum": _no_option,
    "string_pattern_mismatch": _bad_name,
    "string_too_long": _bad_name,
    "string_type": _no_text,
    "string_unicode": _no_text,
    "invalid_key": _no_text,
    "dict_type": _no_mapping,
    "model_type": _no_mapping,
    "list_type": _no_list,
    "too_short": _too_short,
    "string_too_short": _empty_text,
    "refused": _refused,
}


def _problem(detail: Mapping[str, Any]) -> Problem:
    location = detail["loc"]
    where = _path(place_of(location[:-1] if location[-1] == KEY_MARK else location))
    translate = _TRANSLATIONS.get(detail["type"])
    if translate:
        return translate(detail, where)
    allowed = detail["msg"].removeprefix("Input should be ").partition(", ")[0]
    return Problem(
        where,
        shown_or_nothing(detail["input"]),
        allowed.replace("a valid integer", "a whole number"),
    )
