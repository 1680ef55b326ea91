"""Turn the configuration's mapping into `Settings`, or say everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from balmi.config.catalogue import catalogue
from balmi.config.settings import Settings
from balmi.errors import Problem, UserError, listing, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def load_settings(config: Mapping[str, Any]) -> Settings:
    """Return the validated configuration.

    Parameters
    ----------
    config
        The configuration as read from YAML.

    Raises
    ------
    UserError
        With every problem of the configuration.
    """
    content, problems = _with_catalogue(config)
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        problems += [_problem(detail) for detail in error.errors()]
    if problems:
        raise UserError(problems)
    return settings


def _with_catalogue(config: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Let a dataset with nothing below it stand for the catalogue's entry of its name."""
    content, problems = dict(config), []
    datasets = content.get("datasets")
    if not isinstance(datasets, dict):
        return content, problems
    content["datasets"] = {}
    for name, value in datasets.items():
        dataset = value or {"catalogue": name}
        content["datasets"][str(name)] = dataset
        entry = dataset.get("catalogue") if isinstance(dataset, dict) else None
        if entry is not None and entry not in catalogue():
            problems.append(
                Problem(
                    f"datasets.{name}" + (".catalogue" if value else ""),
                    f"{entry!r}, which is no entry of the catalogue" if value else "nothing",
                    f"{listing(catalogue())}" + ("" if value else ", or files of your own"),
                    nearest(entry, catalogue()),
                )
            )
        elif entry is not None and dataset.get("simulate") and not catalogue()[entry].simulate:
            problems.append(
                Problem(
                    f"datasets.{name}.simulate",
                    f"settings of a simulation, but {entry!r} is not simulated",
                    "simulate only beside a simulated entry: "
                    + listing(key for key, item in catalogue().items() if item.simulate),
                )
            )
    return content, problems


def _model_at(location: Iterable[object]) -> type[BaseModel] | None:
    """Return the model that lies at a location of the configuration."""
    model: Any = Settings
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


def _unknown_key(detail: Mapping[str, Any], where: str) -> Problem:
    *parents, key = detail["loc"]
    model = _model_at(parents)
    fields = list(model.model_fields) if model else []
    return Problem(where, "an unknown key", f"one of {listing(fields)}", nearest(key, fields))


def _missing(detail: Mapping[str, Any], where: str) -> Problem:
    *parents, key = detail["loc"]
    model = _model_at(parents)
    description = model.model_fields[str(key)].description if model else None
    return Problem(where, "nothing", f"needed: {description or 'a value'}")


def _no_option(detail: Mapping[str, Any], where: str) -> Problem:
    options = detail["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
    return Problem(
        where,
        repr(detail["input"]),
        f"one of {', '.join(options)}",
        nearest(detail["input"], options),
    )


def _bad_name(detail: Mapping[str, Any], where: str) -> Problem:
    return Problem(where, repr(detail["input"]), "letters, digits, '.', '_' and '-' only")


def _own_check(detail: Mapping[str, Any], where: str) -> Problem:
    allowed = {
        "datasets": "either samples, label and modalities, or catalogue alone",
        "": "see config/README.md",
    }
    return Problem(
        where or "configuration",
        str(detail["ctx"]["error"]),
        allowed[str(detail["loc"][0]) if detail["loc"] else ""],
    )


_TRANSLATIONS = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "enum": _no_option,
    "string_pattern_mismatch": _bad_name,
    "value_error": _own_check,
}


def _problem(detail: Mapping[str, Any]) -> Problem:
    where = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    translate = _TRANSLATIONS.get(detail["type"])
    if translate:
        return translate(detail, where)
    allowed = detail["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return Problem(where, repr(detail["input"]), allowed)
