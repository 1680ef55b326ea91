"""The documents: every link, anchor and path in them leads somewhere, on any machine."""

import re
from pathlib import Path

import pytest

import balmi

ROOT = Path(__file__).parents[2]
LIBRARY = Path(balmi.__file__).parent
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / folder / "README.md" for folder in ("config", "resources", "benchmarks")),
    ]
)
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)>\s]+)>?(?: \"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
PATH = re.compile(r"(?<!`)`([\w.*<>-]+(?:/[\w.*<>-]*)+)`(?!`)")
# What running makes, or what a name stands in for, is in no clone.
MADE = re.compile(r"^(results|resources|checkpoints|\.snakemake|\.venv)/|[<>*]")
OF_A_MACHINE = re.compile(
    r"(?<![\w.}<>/-])/(?:work|home|root|tmp|mnt|media|scratch|users|data|opt|srv|var|usr)\b/?[^\s`)]*"
    r"|\b[A-Z]:\\\w+|file://\S+|\blocalhost\b",
    re.IGNORECASE,
)


def prose(text):
    """Return a document's text without its blocks of code."""
    return FENCED.sub("", text)


def anchors(text):
    """Return the anchors that GitHub gives a document's headings."""
    found = []
    for heading in HEADING.findall(prose(text)):
        told = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", told).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return set(found)


def broken_links(path):
    """Return the links of a document that lead nowhere; those to other sites are not followed."""
    broken = []
    for link in LINK.findall(prose(path.read_text(encoding="utf-8"))):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z][a-z+.-]*:", target):
            continue
        to = (path.parent / target).resolve() if target else path
        known = (
            anchors(to.read_text(encoding="utf-8")) if to.suffix == ".md" and to.exists() else ()
        )
        if not to.exists() or (anchor and anchor not in known):
            broken.append(link)
    return broken


def absent_paths(text):
    """Return the paths in a text that neither the clone nor the library has."""
    paths = [path for path in PATH.findall(prose(text)) if not MADE.search(path)]
    return [path for path in paths if not any((base / path).exists() for base in (ROOT, LIBRARY))]


def named(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(path):
    assert not broken_links(path)


@pytest.mark.parametrize("name", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_path_that_is_named_is_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(PATH.findall(prose(text))) > 10
    assert not absent_paths(text)


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_no_document_speaks_of_a_machine(path):
    assert not OF_A_MACHINE.findall(path.read_text(encoding="utf-8"))


def test_every_document_is_reached_from_the_first_page():
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        links = LINK.findall(prose(path.read_text(encoding="utf-8")))
        targets = {(path.parent / link.partition("#")[0]).resolve() for link in links}
        waiting += [to for to in targets if to.suffix == ".md" and to.exists() and to not in seen]
    assert set((ROOT / "docs").glob("*.md")) | {ROOT / "CONTRIBUTING.md"} <= seen


def test_what_leads_nowhere_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# The `a/b` page, twice\n## Twice\n## Twice\n"
        "[good](#the-ab-page-twice) [good](#twice-1) [good](https://example.org/x#y) [good](.)\n"
        "[bad](#twice-2) [bad](other.md) [bad](page.md#none)\n"
        "```\n# no heading\n[no link](nowhere.md)\n```\n[bad](#no-heading)\n",
        encoding="utf-8",
    )
    assert broken_links(page) == ["#twice-2", "other.md", "page.md#none", "#no-heading"]
    text = "`workflow/Snakefile`, `config/kinds.py`, `results/x/y.csv`, `a/<b>/c`, `no/such.py`"
    assert absent_paths(text) == ["no/such.py"]
    for told in ("see /home/me/x", "`/tmp`", r"C:\Users", "file:///x", "at /work/main."):
        assert OF_A_MACHINE.search(told)
    for told in ("and/or", "results/tmp/x", "https://a.org/home/x", "class/data"):
        assert not OF_A_MACHINE.search(told)
