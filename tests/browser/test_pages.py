"""The pages as readers meet them: in Chromium, offline, with and without JavaScript."""

import re
import struct
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
from accessibility import OF_COLOURS, WCAG, violations
from pypdf import PdfReader
from synthetic_report import ATTRIBUTE, FORMULA, LONG, SCRIPT, UNICODE

from balmi.report.render import MOST_ROWS

pytestmark = pytest.mark.browser
PAGES = ("synthetic", "hostile", "overview")
REPORTS = PAGES[:2]
PHONE = {"viewport": {"width": 390, "height": 844}}
FIGURES = "main svg[role=img]"
VISIBLE_ROWS = "rows => rows.filter(row => !row.hidden).map(row => row.cells[0].textContent.trim())"
SHOWN_ROWS = "rows => rows.filter(row => row.getClientRects().length).map(row => row.className)"
FOCUSABLE = "a[href], button, input, select, summary, [tabindex='0']"


UNFOLD = "document.querySelectorAll('details').forEach(part => { part.open = true; })"
SCREEN = {"viewport": {"width": 1280, "height": 800}}
# What is wrong with the texts of a page's pictures: those that share more than their edges with
# another, and those that reach beyond their picture. What is unseen by opacity is in nobody's way;
# a box is as high as the font, not the letters.
MISPLACED = """() => {
    const seen = (each) => {
        for (let part = each; !part.matches("svg"); part = part.parentElement)
            if (+getComputedStyle(part).opacity === 0) return false;
        return each.textContent.trim();
    };
    const shared = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low]);
    return [...document.querySelectorAll("main svg")].flatMap((picture) => {
        const whole = picture.getBoundingClientRect(), found = [];
        const texts = [...picture.querySelectorAll("text")].filter(seen);
        const held = texts.map((each) => [each.textContent, each.getBoundingClientRect()]);
        held.forEach(([text, box], place) => {
            const inside = box.left >= whole.left - 1 && box.right <= whole.right + 1
                && box.top >= whole.top - 1 && box.bottom <= whole.bottom + 1;
            if (!inside) found.push(["cut", text]);
            for (const [other, near] of held.slice(0, place))
                if (shared(box, near, "left", "right") > 1
                    && shared(box, near, "top", "bottom") > 3)
                    found.push(["overlap", text, other]);
        });
        return found;
    });
}"""
COUNT_OF_TEXTS = "document.querySelectorAll('main svg text').length"


def unfolded(opened, file, **options):
    """Return an open page with all of it in view."""
    page = opened(file, **options).page
    page.evaluate(UNFOLD)
    return page


def cells(table, column):
    """Return the sort keys of a column, in the order of the rows, empty ones left out."""
    rows = table.locator("tbody tr")
    values = rows.evaluate_all(f"rows => rows.map(row => row.cells[{column}].dataset.value)")
    return [float(value) for value in values if value]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_nothing_and_complains_of_nothing(opened, written, name):
    held = opened(written[name])
    assert held.requests == [written[name].as_uri()]
    assert held.complaints == []
    assert held.dialogs == []


# Names change no colour, so that dark pages of hostile ones have nothing of their own.
LOOKED_AT = [(name, scheme) for name in PAGES for scheme in ("light", "dark")]
LOOKED_AT.remove(("hostile", "dark"))


@pytest.mark.parametrize(("name", "scheme"), LOOKED_AT)
def test_no_accessibility_rule_fails(opened, written, name, scheme):
    """With all sections open: what is closed shows a part of the same."""
    options = WCAG if scheme == "light" else OF_COLOURS
    assert violations(unfolded(opened, written[name], color_scheme=scheme), options) == []


def test_no_accessibility_rule_fails_on_the_page_as_it_opens(opened, written):
    assert violations(opened(written["synthetic"]).page, WCAG) == []


def test_the_accessibility_check_can_fail(opened, tmp_path):
    file = tmp_path / "bad.html"
    file.write_text("<html><body><img src='data:,'><p style='color:#eee'>x</p></body></html>")
    assert {rule for rule, _ in violations(opened(file).page)} >= {"image-alt", "html-has-lang"}


def test_a_table_sorts_by_its_good_direction_and_back(opened, written):
    table = unfolded(opened, written["synthetic"]).locator("table[data-beside=scores]")
    heads = table.locator("thead th")
    column = next(
        place
        for place in range(heads.count())
        if "log-loss" in heads.nth(place).inner_text().lower()
    )
    button = heads.nth(column).locator("button")
    button.click()
    assert heads.nth(column).get_attribute("aria-sort") == "ascending"
    values = cells(table, column)
    assert len(values) > 5
    assert values == sorted(values)
    button.click()
    assert heads.nth(column).get_attribute("aria-sort") == "descending"
    assert cells(table, column) == sorted(values, reverse=True)
    assert table.locator("th[aria-sort]").count() == 1


def test_a_filter_hides_the_other_rows(opened, written):
    page = unfolded(opened, written["synthetic"])
    rows = page.locator("#scores tbody tr")
    everything = rows.evaluate_all(VISIBLE_ROWS)
    page.locator("input[data-filter=scores]").fill("LR")
    shown = rows.evaluate_all(VISIBLE_ROWS)
    assert shown == [name for name in everything if "lr" in name.lower()]
    assert 0 < len(shown) < len(everything)
    page.locator("input[data-filter=scores]").fill("")
    assert rows.evaluate_all(VISIBLE_ROWS) == everything


@pytest.mark.parametrize("script", [True, False])
def test_a_long_table_shows_its_first_rows_and_all_at_a_tick(opened, written, script):
    page = opened(written["synthetic"], java_script_enabled=script).page
    page.locator("#performance-more > summary").click()
    assert not page.locator("#differences-table").is_visible()  # its figure says the same
    page.locator("details.table:has(#differences-table) > summary").click()
    rows = page.locator("#differences-table tbody tr")
    assert rows.count() > MOST_ROWS
    assert len(rows.evaluate_all(SHOWN_ROWS)) == 8
    label = page.locator(".scroll:has(#differences-table) + .all")
    assert label.inner_text().strip() == f"Show all {rows.count()} rows"
    label.locator("input").check()
    assert len(rows.evaluate_all(SHOWN_ROWS)) == rows.count()


def test_sorting_and_choosing_bring_other_rows_of_a_long_table_forward(opened, written):
    page = unfolded(opened, written["synthetic"])
    table = page.locator("#features-table")
    rows = table.locator("tbody tr")
    table.locator("thead th button").first.click()
    assert rows.evaluate_all(SHOWN_ROWS) == [""] * 8
    assert rows.first.is_visible()
    page.locator("select[data-filter=features-table][data-key=label]").select_option("1")
    shown = rows.evaluate_all(
        "rows => rows.filter(row => row.getClientRects().length).map(row => row.dataset.label)"
    )
    assert shown == ["1"] * 8


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_reader_and_the_button(opened, written, scheme):
    page = opened(written["synthetic"], color_scheme=scheme).page

    def brightness():
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        if colour == "rgba(0, 0, 0, 0)":
            colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3

    first = brightness()
    assert (first > 128) == (scheme == "light")
    page.locator("#theme").click()
    assert (brightness() > 128) != (first > 128)


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(opened, written, name):
    page = opened(written[name]).page
    wanted = page.locator(FOCUSABLE).evaluate_all(
        """all => { const shown = all.filter(each => each.checkVisibility() && !each.disabled);
        shown.forEach((each, place) => { each.dataset.place = place; }); return shown.length; }"""
    )
    reached = set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        place, outline = page.evaluate(
            """() => { const here = document.activeElement, style = getComputedStyle(here);
            return [here.dataset.place, style.outlineStyle + style.boxShadow]; }"""
        )
        if place is not None:
            assert outline != "nonenone", f"no visible focus at {place}"
            reached.add(int(place))
    assert reached == set(range(wanted))


@pytest.mark.parametrize("name", PAGES)
def test_without_javascript_every_figure_is_there_and_no_control_is(opened, written, name):
    with_script = opened(written[name]).page.locator(FIGURES)
    page = opened(written[name], java_script_enabled=False).page
    for closed in page.locator("main > section details.more > summary").all():
        closed.click()
    figures = page.locator(FIGURES)
    assert figures.count() == with_script.count()
    for place in range(figures.count()):
        box = figures.nth(place).bounding_box()
        assert box["width"] > 100
        assert box["height"] > 20
    if name != "overview":
        assert figures.count() >= 8
    for control in page.locator("[data-script]").all():
        assert not control.is_visible()


@pytest.mark.parametrize("name", PAGES)
def test_the_print_holds_every_section_and_every_row(opened, written, name):
    page = opened(written[name]).page
    text = "".join(part.extract_text() for part in PdfReader(BytesIO(page.pdf())).pages)
    printed = re.sub(r"\s+", "", text)
    for heading in page.locator("h2").all_inner_texts():
        assert re.sub(r"\s+", "", heading) in printed, heading
    if name == "synthetic":
        heads = page.locator("#scores tbody th").all_inner_texts()
        assert heads
        assert all(re.sub(r"\s+", "", head) in printed for head in heads)
        assert page.locator("details[open]").count() == 0


@pytest.mark.parametrize("name", REPORTS)
def test_the_first_screen_is_whole_and_the_page_six_of_them(opened, written, name):
    page = opened(written[name], **SCREEN).page
    for part in ("#verdict .cards", "#verdict .who"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= 800, part
    assert page.locator("#verdict .card").count() == 3
    assert page.evaluate("document.documentElement.scrollHeight") <= 6 * 800
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.parametrize("name", [*PAGES, "modalities", "classes"])
@pytest.mark.parametrize("size", [SCREEN, PHONE], ids=["wide", "phone"])
def test_no_two_texts_of_a_picture_overlap_and_none_is_cut(opened, written, extremes, name, size):
    page = unfolded(opened, (written | extremes)[name], **size)
    assert page.evaluate(COUNT_OF_TEXTS) > 20
    assert page.evaluate(MISPLACED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"]


def test_the_picture_test_can_fail(opened, tmp_path):
    file = tmp_path / "bad.html"
    file.write_text(
        "<main><svg width='90' height='40'><text y='20'>one</text><text x='5' y='22'>two</text>"
        "<text x='70' y='40'>beyond</text><g opacity='0'><text y='20'>unseen</text></g></svg>"
        "</main>"
    )
    assert opened(file).page.evaluate(MISPLACED) == [["overlap", "two", "one"], ["cut", "beyond"]]


def test_the_first_screen_is_whole_with_ten_modalities(opened, extremes):
    page = opened(extremes["modalities"], **SCREEN).page
    for part in ("#verdict .cards", "#verdict .who"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= 800, part


@pytest.mark.parametrize("script", [True, False])
def test_the_samples_to_look_at_are_one_click_away(opened, written, script):
    page = opened(written["hostile"], **SCREEN, java_script_enabled=script).page
    link = page.locator("#verdict .who a[href='#samples-table']")
    assert link.bounding_box()["y"] < 780
    link.click()
    page.locator("#samples-table").wait_for(state="visible")


def test_a_class_is_hidden_in_both_embeddings_at_once(opened, written):
    page = unfolded(opened, written["synthetic"])
    figures = [page.locator(f"#figure-{name}") for name in ("before", "embedding")]
    figures[0].locator("[data-pick='0']").uncheck()
    for figure in figures:
        assert not figure.locator("[data-pick='0']").is_checked()
        assert figure.locator("[data-class='0']").first.get_attribute("hidden") is not None
        assert figure.locator("[data-class='1']").first.get_attribute("hidden") is None


@pytest.mark.parametrize("anchor", ["features-table", "figure-noise", "configuration"])
def test_a_link_into_what_is_closed_opens_it(opened, written, anchor):
    page = opened(written["synthetic"]).page
    assert not page.locator(f"#{anchor}").is_visible()
    page.evaluate(f"location.hash = '{anchor}'")
    page.locator(f"#{anchor}").wait_for(state="visible")
    assert page.locator(f"#{anchor}").bounding_box()["y"] < 720


def test_the_contents_mark_where_the_reader_is(opened, written):
    page = opened(written["synthetic"], **SCREEN).page
    marked = page.locator("nav a[aria-current]")
    assert marked.get_attribute("href") == "#verdict"
    page.locator("nav a[href='#robustness']").click()
    page.wait_for_function("document.querySelector('nav a[aria-current]').hash === '#robustness'")
    assert marked.count() == 1
    assert marked.is_visible()


@pytest.mark.parametrize("figure", ["combining", "differences", "embedding", "noise"])
def test_a_figure_is_saved_as_files_that_stand_alone(opened, written, figure):
    page = unfolded(opened, written["synthetic"])
    place = page.locator(f"#figure-{figure}")
    saved = {}
    for kind in ("svg", "png"):
        with page.expect_download() as download:
            place.locator(f"[data-save={kind}]").click()
        assert download.value.suggested_filename == f"synthetic-{figure}.{kind}"
        saved[kind] = download.value.path().read_bytes()
    text = saved["svg"].decode()
    assert "var(" not in text
    assert ET.fromstring(text).tag.endswith("svg")
    assert text.count("<svg") > place.locator("svg[role=img]").count()
    assert saved["png"].startswith(b"\x89PNG")
    width, height = struct.unpack(">II", saved["png"][16:24])
    assert width > 1000
    assert height > 500


@pytest.mark.parametrize(
    ("name", "figure", "file"),
    [
        ("synthetic", "differences", "synthetic-comparisons"),
        ("synthetic", "overlap", "synthetic-availability"),
        ("overview", "differences", "overview"),
    ],
)
def test_the_data_of_a_figure_are_one_click_away(opened, written, name, figure, file):
    page = opened(written[name]).page
    with page.expect_download() as download:
        page.locator(f"#figure-{figure} [data-fetch]").click()
    assert download.value.suggested_filename.partition(".csv")[0] == file


@pytest.mark.parametrize("name", PAGES)
def test_every_figure_has_a_caption_help_and_data_that_the_page_holds(opened, written, name):
    for figure in opened(written[name]).page.locator("main figure").all():
        told = figure.get_attribute("id")
        assert figure.locator("figcaption > p:not(.tools)").count() == 1, told
        assert figure.locator(".reading").count() == 1, told
        data = figure.locator(".tools [data-fetch]")
        if told == "figure-values":  # measurements of samples stay in their file
            assert data.count() == 0
            assert "attribution_values" in figure.locator(".tools code").text_content()
            continue
        offered = data.evaluate("link => document.querySelector(`${link.hash} a[download]`)?.href")
        assert offered, told
        assert offered.startswith("data:"), told


def test_a_caution_opens_to_its_sentence(opened, written):
    light = opened(written["synthetic"]).page.locator("details.check.caution").first
    assert not light.locator("p").is_visible()
    light.locator("summary").click()
    assert "What folds means." in light.locator("p").inner_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_scrolls_tables_and_not_the_page(opened, written, name):
    page = opened(written[name], **PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_hostile_names_are_text(opened, written):
    held = opened(written["hostile"])
    text = held.page.locator("main").inner_text()
    titles = held.page.locator("[title]").evaluate_all("all => all.map(each => each.title)")
    for name in (SCRIPT, ATTRIBUTE, FORMULA, UNICODE):
        assert name in text, name
    assert any(LONG.strip() in title for title in titles)
    assert held.page.locator("main script, main img[onerror]").count() == 0
    assert held.dialogs == []


def test_the_overview_leads_to_each_report(opened, written):
    page = opened(written["overview"]).page
    link = page.locator("a[href$='report.html']").first
    target = link.get_attribute("href")
    link.click()
    assert page.url == (written["overview"].parent / target).as_uri()
    assert page.locator("#verdict").count() == 1


def test_every_section_has_a_line_in_plain_words(opened, written):
    page = opened(written["synthetic"]).page
    for section in page.locator("main > section").all():
        heading = section.locator("h2").inner_text()
        assert section.locator(".gist, .says").first.is_visible(), heading
        assert section.locator("details.more .gloss").count() == 1, heading


def test_a_reader_asks_what_each_modality_says_of_a_sample(opened, written):
    page = opened(written["synthetic"]).page
    page.locator("#samples-more > summary").click()
    pick = page.locator("#samples-pick")
    assert pick.is_visible()
    pick.locator("input").fill("s00")
    status = pick.locator("[role=status]")
    status.locator("p").wait_for()
    assert status.inner_text() == "100 samples have this in their name."
    pick.locator("input").fill("s0007")
    said = status.locator("tbody tr")
    said.first.wait_for()
    assert said.locator("th").all_inner_texts() == ["all modalities", "rna", "methylation", "mirna"]
    assert "s0007: class Basal" in pick.locator("caption").inner_text()
    pick.locator("input").fill("nobody")
    status.locator("p").wait_for()
    assert "No sample" in pick.locator("[role=status]").inner_text()
    still = opened(written["synthetic"], java_script_enabled=False).page
    assert not still.locator("#samples-pick").is_visible()


def test_the_address_chooses_order_and_rows_of_the_overview(opened, written):
    page = opened(written["overview"]).page
    table = page.locator("#datasets-table")
    usual = cells(table, 1)
    assert len(set(usual)) > 0
    for order, reverse in (("ascending", False), ("descending", True)):
        page.goto(f"{written['overview'].as_uri()}?sort=trust&order={order}")
        assert table.locator("[data-key=trust]").get_attribute("aria-sort") == order
        assert cells(table, 4) == sorted(cells(table, 4), reverse=reverse)
    page.goto(f"{written['overview'].as_uri()}?find=hostile")
    assert [row.is_visible() for row in table.locator("tbody tr").all()].count(True) == 1


def test_the_overview_is_chosen_from_without_a_script(opened, written):
    page = opened(written["overview"], java_script_enabled=False).page
    rows = page.locator("#datasets-table tbody tr")
    before = [row.is_visible() for row in rows.all()]
    assert all(before)
    for box in page.locator(".choose input[type=checkbox]").all():
        if box.get_attribute("id").startswith("verdict"):
            box.uncheck()
    assert not any(row.is_visible() for row in rows.all())
