"""Where a configuration has its keys: what people set in its section, the rest below `advanced`.

The library's settings know no such difference: every key of a section stands in that section.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from balmi.config.settings import Configuration, Section
from balmi.errors import Problem, listing, nearest, shown_or_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel

ADVANCED = "advanced"
SEED = "seed"
ELSEWHERE = "a key that has its place elsewhere"
SECTIONS: dict[str, type[Section]] = {
    name: field.annotation
    for name, field in Configuration.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}


def keys_of(name: str, advanced: bool) -> list[str]:
    """Return the keys of a section that stand below `advanced`, or those that do not."""
    section = SECTIONS[name]
    return [key for key in section.model_fields if (key in section.advanced) is advanced]


def usual_keys(model: type[BaseModel]) -> list[str]:
    """Return the keys that a configuration has in a section, or at its top."""
    if model is Configuration:
        empty = [name for name in SECTIONS if not keys_of(name, advanced=False)]
        return [*(key for key in model.model_fields if key not in empty), ADVANCED]
    advanced = model.advanced if issubclass(model, Section) else ()
    return [key for key in model.model_fields if key not in advanced]


def place_of(location: Sequence[Any]) -> list[Any]:
    """Return where a configuration has what the settings have at a location."""
    section = SECTIONS.get(location[0]) if len(location) > 1 else None
    below = section is not None and location[1] in section.advanced
    return [ADVANCED, *location] if below else [*location]


def places_of(key: object) -> list[str]:
    """Return everywhere that a configuration has a key of this name, datasets aside."""
    top = [[name] for name in usual_keys(Configuration) if name == key]
    sections = [[name, key] for name, model in SECTIONS.items() if key in model.model_fields]
    return [".".join(map(str, place_of(location))) for location in top + sections]


def gathered(config: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return a configuration with every key in its section, and what stands in a wrong place.

    Parameters
    ----------
    config
        The configuration as read from YAML, whose values need not be valid.
    """
    content = {name: value for name, value in config.items() if name != ADVANCED}
    below = config.get(ADVANCED, {})
    problems = [*_misplaced(content), *_strange(below)]
    for name, keys in (below if isinstance(below, Mapping) else {}).items():
        usual = content.get(name, {})
        if name in SECTIONS and isinstance(keys, Mapping) and isinstance(usual, Mapping):
            moved = {key: keys[key] for key in keys_of(name, advanced=True) if key in keys}
            content[name] = {**usual, **moved}
    return content, problems


def scattered(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a configuration has them, of which `gathered` makes the same settings.

    Parameters
    ----------
    settings
        By section, as `Section.model_dump` gives them; sections may lack keys. A section's seed
        that is the seed of all is left out.
    """
    content: dict[str, Any] = {}
    below: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in SECTIONS:
            content[name] = value
            continue
        for key, item in value.items():
            place = below if key in SECTIONS[name].advanced else content
            if key != SEED or item != settings.get(SEED):
                place.setdefault(name, {})[key] = item
    return content | ({ADVANCED: below} if below else {})


def _misplaced(content: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the advanced keys that stand in their section."""
    for name in SECTIONS:
        value = content.get(name)
        for key in keys_of(name, advanced=True):
            if isinstance(value, Mapping) and key in value:
                own = ".".join(place_of([name, key]))
                usual = [place for place in places_of(key) if not place.startswith(ADVANCED)]
                allowed = [f"{SEED}, for all seeds at once"] if key == SEED else usual
                yield Problem(f"{name}.{key}", ELSEWHERE, ", or ".join([*allowed, own]))


def _strange(below: object) -> Iterator[Problem]:
    """Yield what stands below `advanced` and is no section, or no advanced key of one."""
    sections = [name for name in SECTIONS if SECTIONS[name].advanced]
    yield from _strangers([ADVANCED], below, sections, Configuration)
    for name in sections:
        if isinstance(below, Mapping) and name in below:
            keys = keys_of(name, advanced=True)
            yield from _strangers([ADVANCED, name], below[name], keys, SECTIONS[name])


def _strangers(
    location: list[str], found: object, allowed: Sequence[str], model: type[BaseModel]
) -> Iterator[Problem]:
    """Yield the keys of a mapping that are not among the allowed ones."""
    where = ".".join(location)
    if not isinstance(found, Mapping):
        keys = f"a mapping with the keys {listing(allowed)}"
        yield Problem(where, shown_or_nothing(found), keys)
        return
    for key in found:
        if key in allowed:
            continue
        own = [".".join([*location[1:], str(key)])] if key in model.model_fields else []
        places = own or places_of(key)
        if places:
            yield Problem(f"{where}.{key}", ELSEWHERE, ", or ".join(places))
        else:
            one = f"one of {listing(allowed)}"
            yield Problem(f"{where}.{key}", "an unknown key", one, nearest(key, allowed))
