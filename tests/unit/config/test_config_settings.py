"""The settings as one place: whatever lies in a room of sections is imported from there."""

import re
from importlib import import_module
from pathlib import Path

import balmi
from balmi.config import settings
from balmi.config.settings import Section

LIBRARY = Path(balmi.__file__).parent
FAMILIES = [
    import_module(f"balmi.config.sections.{path.stem}")
    for path in sorted((LIBRARY / "config" / "sections").glob("[a-z]*.py"))
]


def test_every_section_is_among_the_settings():
    found = {
        name: value
        for family in FAMILIES
        for name, value in vars(family).items()
        if isinstance(value, type) and issubclass(value, Section)
    }
    assert len(found) > 15
    assert found.keys() <= set(settings.__all__)
    assert all(getattr(settings, name) is value for name, value in found.items())


def test_the_library_imports_sections_from_the_settings_alone():
    inside = LIBRARY / "config"
    own = {inside / "settings.py", *(inside / "sections").iterdir()}
    others = [path for path in LIBRARY.rglob("*.py") if path not in own]
    assert not [path for path in others if re.search(r"config\.sections", path.read_text("utf-8"))]
