"""The pages as a browser would read them: inert, self-contained, whole, and the same twice."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import yaml
from synthetic_report import ATTRIBUTE, FORMULA, LONG, SCRIPT, UNICODE, Names, write_dataset

from balmi.config.load import load_settings
from balmi.data.cohort import read_roster
from balmi.data.files import read_table
from balmi.errors import UserError
from balmi.report import contents, render
from balmi.report.kit.amounts import Amount
from balmi.report.overview.page import build_overview
from balmi.report.render import TEMPLATES, ReportInputs, build_report
from balmi.report.sections.information import figures as information_figures
from balmi.report.sections.information.decomposition import Parts, Share
from balmi.report.sections.information.distillation import Margin
from balmi.report.view import build_view

if TYPE_CHECKING:
    from pathlib import Path

BRIEF = ("balanced", "stacked-lr")
SECTIONS = ["verdict", *contents.SECTIONS]
# The figures of the sections up to training, by the first part of their ids.
FIGURES = {"differences", "folds", "curve-roc", "curve-pr", "reliability-0", "reliability-1"}
FIGURES |= {"information", "parts", "shares", "margins", "training-weight", "training-loss"}
FIGURES |= {"training-gradient-share", "training-macro-f1", "training-validation-loss"}
VOID = {"meta", "input", "br", "img", "link", "hr"}
OWN_SCRIPT = (TEMPLATES / "page.js").read_text(encoding="utf-8")
OVERVIEW_SCRIPT = (TEMPLATES / "overview.js").read_text(encoding="utf-8")


class Page(HTMLParser):
    """Elements, attributes, text and scripts of a page, and whether its tags match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif self.open and self.open[-1] != "style":
            self.text.append(data)

    def tags(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def without(inputs: ReportInputs, name: str) -> ReportInputs:
    """Return inputs without a table."""
    return replace(inputs, tables={key: path for key, path in inputs.tables.items() if key != name})


def read(folder: Path) -> tuple[str, dict]:
    page = (folder / "report.html").read_text(encoding="utf-8")
    return page, json.loads((folder / "view.json").read_text(encoding="utf-8"))


def build(inputs: ReportInputs, folder: Path) -> tuple[str, dict]:
    build_report(inputs, folder / "report.html", folder / "view.json")
    return read(folder)


@pytest.fixture(scope="module")
def built(made: Path) -> tuple[str, dict]:
    return read(made)


@pytest.fixture(scope="module")
def hostile_built(hostile: ReportInputs, tmp_path_factory) -> tuple[str, dict]:
    return build(hostile, tmp_path_factory.mktemp("hostile_built"))


def overview(folder: Path, *summaries: dict) -> str:
    views = {}
    for place, summary in enumerate(summaries):
        path = folder / f"{place}.json"
        path.write_text(json.dumps(summary), encoding="utf-8")
        views[path] = f"../{place}/report.html"
    build_overview(views, folder / "overview.html")
    return (folder / "overview.html").read_text(encoding="utf-8")


def csv_rows(page: str, name: str) -> list[list[str]]:
    endings = (f"-{name}.csv", f"-{name}.csv.gz")
    link = next(a for a in Page(page).tags("a") if (a.get("download") or "").endswith(endings))
    held = base64.b64decode(link["href"].split(",", 1)[1])
    text = gzip.decompress(held) if link["download"].endswith(".gz") else held
    return list(csv.reader(io.StringIO(text.decode())))


@pytest.mark.parametrize("script", [OWN_SCRIPT, OVERVIEW_SCRIPT], ids=["page", "overview"])
def test_a_browser_of_2018_reads_the_scripts(script):
    assert not re.search(r"\?\?|\?\.(?!\d)|[|&]{2}=|\.at\(", script)


def test_page_has_every_section_in_order(built):
    page = Page(built[0])
    assert [attributes["id"] for attributes in page.tags("section")] == SECTIONS
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", built[0])
    assert [heading.split()[0] for heading in headings] == [
        "Verdict",
        *map(str, range(1, len(SECTIONS))),
    ]
    assert len([tag for tag in page.tags("p") if tag.get("class") == "gloss"]) == len(SECTIONS)


@pytest.mark.parametrize("kind", ["report", "overview"])
def test_hostile_names_are_inert(hostile_built, tmp_path, kind):
    text = hostile_built[0] if kind == "report" else overview(tmp_path, hostile_built[1])
    page = Page(text)
    assert page.scripts == [OWN_SCRIPT if kind == "report" else OWN_SCRIPT + OVERVIEW_SCRIPT]
    assert not page.tags("img")
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
    allowed = {"rect", "path", "line", "text", "g", "title", "desc", "svg", "defs", "clipPath"}
    allowed |= {"image"} if kind == "report" else set()
    inside = re.findall(r"<svg xmlns.*?</svg>", text, flags=re.DOTALL)
    assert {tag for figure in inside for tag in re.findall(r"<(\w+)", figure)} <= allowed
    assert SCRIPT in page.words


def test_hostile_names_are_told_as_they_are(hostile_built):
    words = Page(hostile_built[0]).words
    for name in (SCRIPT, ATTRIBUTE, FORMULA, UNICODE, LONG.strip()[:30]):
        assert name in words
    assert hostile_built[1]["classes"] == [ATTRIBUTE, SCRIPT, FORMULA, UNICODE, LONG]


def test_page_loads_nothing(built, tmp_path):
    for text in (built[0], overview(tmp_path, built[1])):
        page = Page(text)
        for tag, attributes in page.elements:
            assert "src" not in attributes, tag
            assert tag not in ("link", "iframe", "object", "embed", "base")
            if "href" in attributes:
                kept = "image/png" if tag == "image" else "text/csv|application/gzip"
                assert not re.match(rf"\w+:(?!({kept});base64,)|//", attributes["href"])
        assert "@import" not in text
        # Every url() in a figure points into the figure.
        assert set(re.findall(r"url\((.)", text)) <= {"#"}


def test_the_words_are_those_of_the_field(built):
    """No tale of what somebody tells, finds or owns, in sentences that readers see."""
    page = re.sub(r"<(style|script|svg|pre|code)\b.*?</\1>", " ", built[0], flags=re.DOTALL)
    text = unescape(re.sub(r"<[^>]+>", " ", page))
    assert re.findall(r"[^.]*\b(?:told|tells?|found|own|finds?)\b[^.]*", text) == []


def test_only_the_own_script_may_run(built):
    policy = next(m["content"] for m in Page(built[0]).tags("meta") if "http-equiv" in m)
    digest = base64.b64encode(render.hashlib.sha256(OWN_SCRIPT.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_the_printed_configuration_is_one(inputs, built):
    form = r"<pre[^>]* aria-label=\"Configuration\"[^>]*>(.*?)</pre>"
    (text,) = re.findall(form, built[0], re.DOTALL)
    settings = load_settings(yaml.safe_load(unescape(text)))
    assert list(settings.datasets) == [inputs.dataset]
    again = settings.model_dump(mode="json") | {"datasets": None}
    assert again == inputs.settings | {"datasets": None}


def test_ids_are_unique_and_references_lead_somewhere(built):
    page = Page(built[0])
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or "").split()) <= set(ids)
        link = attributes.get("href") or ""
        assert not link.startswith("#") or link[1:] in ids


def test_page_is_accessible_in_form(built):
    page = Page(built[0])
    assert page.tags("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.tags("caption")) == len(page.tags("table"))
    assert all("scope" in attributes for attributes in page.tags("th"))
    figures = [svg for svg in page.tags("svg") if svg.get("aria-hidden") != "true"]
    assert {f"{name}-title" for name in FIGURES} <= {svg["aria-labelledby"] for svg in figures}
    assert {svg["role"] for svg in figures} == {"img"}


def test_overview_shows_the_numbers_of_the_report(inputs, built, tmp_path):
    names = Names(dataset="other", samples=120, methods=(*BRIEF, "unimodal-lr"), epochs=8)
    other = write_dataset(tmp_path, names)
    page, view = build(other, tmp_path)
    across = Page(overview(tmp_path, built[1], view))
    numbers = set(re.findall(r"[+−]?\d\.\d{3}", across.words))
    assert len(numbers) > 30
    shown = Page(built[0]).words + Page(page).words
    assert numbers <= set(re.findall(r"[+−]?\d\.\d{3}", shown))
    links = [a["href"] for a in across.tags("a")]
    assert {"synthetic/report.html", "other/report.html"} <= set(links)


def test_a_page_is_about_the_pool_where_it_ran_and_an_overview_shows_both(built, tmp_path):
    methods = ("pooled", "unimodal-pooled", *BRIEF, "unimodal-lr")
    other = write_dataset(tmp_path, Names(dataset="pool", samples=120, methods=methods, epochs=8))
    text, view = build(other, tmp_path)
    page = Page(text).words
    assert "The pool of experts against the experts of one modality alone" in page
    assert "The pool of experts against the balanced network" in page
    assert "pooled in bold" in page
    assert "The balanced network against" not in page
    alone, both = (overview(tmp_path, *views) for views in ([view], [built[1], view]))
    for columns, shown in ((alone, False), (both, True)):
        assert '<th scope="col" data-good="more">pooled − unimodal-pooled</th>' in columns
        assert ('data-good="more">balanced − unimodal-lr</th>' in columns) == shown
    tables = {name: read_table(path) for name, path in other.table_paths.items()}
    made_for = {"macro_f1": "macro-F1", "balanced_accuracy": "balanced accuracy"}
    for metric in (*made_for, "accuracy"):
        settings = {**other.settings, "primary_metric": metric}
        answers = build_view("pool", read_roster(other.samples), tables, settings).summary.answers
        told = " ".join(each.text for answer in answers for each in answer.statements)
        assert "their difference is due to combining" in told
        rule = f"by a rule that is made for {made_for.get(metric, '')}"
        assert (rule in told) is (metric in made_for)


def test_overview_refuses_a_view_of_another_version(built, tmp_path):
    with pytest.raises(UserError, match="version 0 of its format"):
        overview(tmp_path, {**built[1], "format": 0})


def test_methods_without_a_result_are_told_with_the_reason(tmp_path):
    failed = (
        ("balanced", "failed", "RuntimeError: out of memory"),
        ("late-fusion", "not_applicable", "one class has no sample"),
    )
    page, view = build(write_dataset(tmp_path, Names(failed=failed, repeats=2, epochs=8)), tmp_path)
    words = Page(page).words
    for _, _, reason in failed:
        assert reason in words
    assert "not applicable" in words
    assert [row["name"] for row in view["not_ok"]] == ["balanced", "late-fusion"]
    # Without the own method the confusions are those of the highest score.
    assert f"Class by class: {view['best']}" in words


@pytest.mark.parametrize(
    ("names", "told", "without"),
    [
        (
            Names(modalities=("rna",), classes=("a", "b")),
            "There is one modality, so nothing can be combined.",
            "Between modalities",
        ),
        (
            Names(methods=("concat-lr", "stacked-lr", "unimodal-lr"), repeats=2),
            "No network was trained",
            "joint head",
        ),
        (Names(methods=()), "No method gave a result", "Paired differences"),
    ],
    ids=["one modality, two classes", "no network", "no method"],
)
def test_sections_without_data_say_why(tmp_path, names, told, without):
    page, view = build(write_dataset(tmp_path, names), tmp_path)
    assert [attributes["id"] for attributes in Page(page).tags("section")] == SECTIONS
    assert told in Page(page).words
    assert without not in Page(page).words
    assert "nan" not in Page(page).words.split()
    assert overview(tmp_path, view)


@pytest.fixture(scope="module")
def leaking(tmp_path_factory) -> tuple[str, dict]:
    folder = tmp_path_factory.mktemp("leaking")
    trust = (("leak control", "fail"), ("calibration", "caution"))
    return build(write_dataset(folder, Names(dataset="leaking", trust=trust, repeats=4)), folder)


def test_a_failed_control_withholds_every_verdict_of_the_page(leaking):
    page, view = leaking
    words = Page(page).words
    assert view["headline"].startswith("Verdict withheld: the leak control failed.")
    assert {answer["headline"] for answer in view["answers"]} >= {
        "Verdict withheld: the leak control failed."
    }
    assert (view["strongest"], view["weakest"]) == (None, None)
    # Noise, absence, permutation and shares in the section on robustness; and Shapley values.
    assert page.count('<p class="found">Verdict withheld: the leak control failed.</p>') == 5
    # Badges are elements; the section's gloss names the words.
    badges = re.findall(r'class="badge \w+"><span aria-hidden="true">.</span> ([^<]+)</span>', page)
    assert "verdict withheld" in badges
    assert not {"gain supported", "loss supported", "gain", "no gain"} & set(_in_tables(page))
    for claim in (
        "carries the most",
        "predicted to help for",
        "rna has more",
        "Combining helps",
        "agree on",
    ):
        assert claim not in words


def _in_tables(page: str) -> list[str]:
    """Return the words of the badges in table cells, list items of answers, and figures."""
    cells = re.findall(r"<(?:td|li|dd|text)\b[^>]*>(.*?)</(?:td|li|dd|text)>", page, re.DOTALL)
    legend = re.findall(r'<ul class="legend">.*?</ul>', page, re.DOTALL)
    told = [re.sub(r"<[^>]+>", "", cell) for cell in cells if not any(cell in e for e in legend)]
    words = ("gain supported", "loss supported", "no gain", "predicted to help")
    return [word for word in words for cell in told if word in cell]


def test_the_overview_tells_withheld_verdicts_and_trust(leaking, built, tmp_path):
    page = overview(tmp_path, leaking[1], built[1])
    words = Page(page).words
    rows = re.findall(r"<tr\b.*?</tr>", page, re.DOTALL)
    own = [row for row in rows if 'href="leaking/report.html"' in row]
    assert len(own) == 4
    assert "No: the leak control failed, so verdicts are withheld." in own[0]
    assert own[0].count("verdict withheld") == 2
    assert 'data-verdict="verdict-withheld"' in own[0]
    assert own[1].count("verdict withheld") == 5
    assert "supported" not in own[1]
    assert own[2].count("verdict withheld") == 2
    assert "verdict withheld : 1" in words
    assert 'data-within="../1/report.html"' in page


def test_classes_can_be_hidden_one_by_one(built):
    page = Page(built[0])
    boxes = [tag["data-pick"] for tag in page.tags("input") if "data-pick" in tag]
    assert boxes[:4] == list("0123")
    performance = built[0].split('id="performance"')[1].split('id="information"')[0]
    for place in "0123":
        parts = re.findall(rf'<(\w+)[^>]* data-class="{place}"', performance)
        # A row of the table, and in each of two figures a line and its interval.
        assert parts == ["tr", "g", "g", "g", "g"]


def test_information_is_told_with_its_raw_numbers(built):
    words = Page(built[0]).words
    for told in (
        "interval of the held-out bound, not of the information itself",
        "unique to rna",
        "redundant",
        "synergistic",
        "all others",
        "−0.004 (−0.034 to 0.026)",
        "0.735",
        "comparable at equal k",
        "agree on 1 of 2 pairs that can be judged",
        "(3 undecided, 1 not observed)",
    ):
        assert told in words
    assert "Not estimated" not in words
    assert csv_rows(built[0], "complementarity")[0][0] == "teacher"


def test_every_part_is_drawn_once_and_none_below_zero(inputs, built):
    figure = re.search(r"<svg[^>]*aria-labelledby=\"parts-title\".*?</svg>", built[0], re.DOTALL)
    bars = re.findall(r'<path d="M[^"]*" fill="([^"]+)" stroke="([^"]+)"', figure[0])
    table = read_table(inputs.tables["information"])
    names = ("redundant_information", "unique_information", "unique_of_other")
    parts = table[table["quantity"].isin([*names, "synergistic_information"])]
    assert len(bars) == (parts["estimate"] > 0).sum()
    dashed = (parts["quantity"] == "synergistic_information") & (parts["estimate"] > 0)
    assert [edge for _, edge in bars].count("var(--ink)") == dashed.sum()
    # The legend, which the page has before the picture, has each look.
    (legend,) = re.findall(
        r'<ul class="legend">(?:(?!</ul>).)*redundant.*?</ul>', built[0], re.DOTALL
    )
    swatches = re.findall(r'<path d="[^"]*" fill="([^"]+)"', legend)
    assert {fill for fill, _ in bars} <= set(swatches)


def test_many_modalities_stay_readable(tmp_path):
    six = ("rna", "methylation", "mirna", "protein", "copy-number", "metabolites")
    page, _ = build(
        write_dataset(tmp_path, Names(modalities=six, methods=BRIEF, epochs=8)), tmp_path
    )
    words = Page(page).words
    assert "Drawn are 16 of the 21 rows" in words
    assert "Drawn are 12 of the 30 pairs" in words
    assert "the 10 highest bounds of 22 combinations" in words
    rows = {
        name: re.search(rf'id="{name}".*?<tbody>(.*?)</tbody>', page, re.DOTALL)[1].count("<tr>")
        for name in ("parts-table", "margins-table", "pair-information", "subset-information")
    }
    assert list(rows.values()) == [21, 30, 15, 10]


def test_what_was_not_estimated_is_told_with_the_reason(tmp_path):
    reason = f"12 samples {SCRIPT}"
    page, view = build(write_dataset(tmp_path, Names(refusal=reason, methods=BRIEF)), tmp_path)
    found = Page(page)
    assert found.scripts == [OWN_SCRIPT]
    assert "Not estimated" in found.words
    assert reason in found.words
    assert "information" in [attributes["id"] for attributes in found.tags("section")]
    assert "label-information" not in page
    assert "nan" not in found.words.split()
    assert "not estimated" in Page(overview(tmp_path, view)).words


def test_margins_without_observation_stay_predictions(inputs, tmp_path):
    page, _ = build(without(inputs, "complementarity"), tmp_path)
    words = Page(page).words
    assert "no gain was observed on this dataset" in words
    assert "Does distillation do what the margin predicts?" not in words
    assert "observed gain" not in words


def test_missing_modalities_are_counted(built):
    words = Page(built[0]).words
    assert "Which samples lack what" in words
    assert "methylation and mirna" in words
    assert "3 samples without a label" in words


def test_too_large_a_page_is_refused(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(render, "MAX_BYTES", 20_000)
    with pytest.raises(UserError, match="at most 20,000 bytes"):
        build(inputs, tmp_path)
    assert not list(tmp_path.iterdir())


def test_tables_that_do_not_fit_are_named_by_path(inputs, tmp_path, monkeypatch, built):
    bare = len(re.sub(r"data:text/csv[^\"]*", "", built[0]).encode())
    monkeypatch.setattr(render, "MAX_BYTES", bare + 60_000)
    page, _ = build(inputs, tmp_path)
    assert "too large for this page" in page
    assert f"<code>{inputs.tables['predictions'].name}</code>" in page
    assert csv_rows(page, "information")[0][0] == "quantity"


def test_downloads_hold_inert_text_and_true_numbers(hostile_built):
    rows = csv_rows(hostile_built[0], "information")
    head, cells = rows[0], rows[1:]
    assert f"'{FORMULA}" in {row[head.index("modality")] for row in cells}
    margins = [float(row[head.index("estimate")]) for row in cells]
    assert min(margins) < 0
    methods = csv_rows(hostile_built[0], "methods")
    assert any(SCRIPT in cell for row in methods for cell in row)


def test_title_licence_and_absent_commit(inputs, tmp_path):
    told = replace(inputs, title="A title", licence="CC BY 4.0", commit=None)
    words = Page(build(told, tmp_path)[0]).words
    assert "A title" in words
    assert "Licence of the data: CC BY 4.0." in words
    assert "not a git checkout" in words


def test_figures_hold_hostile_names_as_text():
    amount = Amount(0.2, 0.1, 0.3)
    parts = Parts(SCRIPT, ATTRIBUTE, False, amount, amount, None, Amount(-0.1, None, None), 50)
    margin = Margin(
        *(SCRIPT, ATTRIBUTE, 0.2, 0.1, 0.1, 0.05, 0.2, "gain"),
        *("gain", None, True, amount, "gain supported"),
    )
    names = (SCRIPT, ATTRIBUTE)
    figures = (
        information_figures.parts_figure([parts], names),
        information_figures.shares_figure([Share(SCRIPT, amount, None, 50)], names),
        information_figures.margins_figure([margin], observed=True),
    )
    for figure in figures:
        page = Page(figure.inline)
        assert not page.tags("script")
        assert not page.tags("img")
        assert "</scr" in page.words
        assert "onerror" not in {name for _, attributes in page.elements for name in attributes}
