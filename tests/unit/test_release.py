"""One version, told alike by the package, the citation and the changelog."""

import re
from datetime import date
from pathlib import Path

import yaml

import balmi

ROOT = Path(__file__).parents[2]
RELEASE = re.compile(r"^## (\d+\.\d+\.\d+) \((\d{4}-\d{2}-\d{2})\)$", re.MULTILINE)


def test_citation_and_changelog_tell_the_packages_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    version, day = RELEASE.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))[0]
    assert balmi.__version__ == citation["version"] == version
    assert date.fromisoformat(citation["date-released"]) == date.fromisoformat(day)


def test_what_changed_for_users_stands_first_in_every_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (.+)$", text, re.MULTILINE)
    assert headings[-1] == "Working on it"
    assert headings.count("Working on it") == text.count("\n## ") - text.count("\n## 0.1.0")
