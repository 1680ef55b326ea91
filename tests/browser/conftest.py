"""Pages opened in Chromium, with everything that they ask for or complain about written down."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from drawn_once import drawn_once
from playwright.sync_api import sync_playwright
from synthetic_report import ATTRIBUTE, FORMULA, Names, hostile_names, write_dataset

from balmi.report.overview.page import build_overview
from balmi.report.render import build_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

NAMES_OF_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Opened:
    """A page in the browser, and what happened while it was open."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@pytest.fixture(scope="session", autouse=True)
def _drawn_once() -> Iterator[None]:
    with drawn_once():
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, NAMES_OF_CHROMIUM)), None)
    if found is None:
        pytest.skip(f"no Chromium: none of {', '.join(NAMES_OF_CHROMIUM)} is installed")
    with sync_playwright() as playwright:
        # Containers run as root, where Chromium refuses its sandbox.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the pages by name: a usual report, one of hostile names, and their overview."""
    folder = tmp_path_factory.mktemp("pages")
    usual = write_dataset(tmp_path_factory.mktemp("usual"))
    hostile = write_dataset(tmp_path_factory.mktemp("hostile"), hostile_names())
    hostile = replace(hostile, dataset="hostile", title=ATTRIBUTE, licence=FORMULA)
    pages, views = {}, {}
    for name, inputs in ((Names.dataset, usual), ("hostile", hostile)):
        pages[name] = folder / name / "report.html"
        pages[name].parent.mkdir()
        view = pages[name].with_name("view.json")
        build_report(inputs, pages[name], view)
        views[view] = f"../{name}/report.html"
    pages["overview"] = folder / "overview.html"
    build_overview(views, pages["overview"])
    return pages


def _long(word: str, count: int) -> tuple[str, ...]:
    """Return names of 60 characters."""
    names = (f"{word} {place} of a name that goes on" for place in range(count))
    return tuple(f"{name:n<56} {place:03}" for place, name in enumerate(names))


@pytest.fixture(scope="session")
def extremes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return pages of ten modalities and of thirty classes, whose names have 60 characters."""
    few = {"methods": ("balanced", "stacked-lr", "unimodal-lr"), "repeats": 2, "epochs": 5}
    made = {
        "modalities": Names(modalities=_long("modality", 10), samples=100, **few),
        "classes": Names(classes=_long("class", 30), samples=200, **few),
    }
    pages = {}
    for name, names in made.items():
        folder = tmp_path_factory.mktemp(name)
        pages[name] = folder / "report.html"
        build_report(write_dataset(folder, names), pages[name], folder / "view.json")
    return pages


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Return a function that opens a file in a fresh context, offline."""
    contexts = []

    @contextmanager
    def context(**options: Any) -> Iterator[Page]:
        contexts.append(browser.new_context(offline=True, **options))
        yield contexts[-1].new_page()

    def open_page(file: Path, **options: Any) -> Opened:
        with context(**options) as page:
            held = Opened(page)
            page.on("console", lambda message: held.complaints.append(message.text))
            page.on("pageerror", lambda error: held.complaints.append(str(error)))
            page.on("request", lambda request: held.requests.append(request.url))

            def dismiss(dialog: Any) -> None:
                held.dialogs.append(dialog.message)
                dialog.dismiss()

            page.on("dialog", dismiss)
            page.goto(Path(file).as_uri())
            if options.get("java_script_enabled", True):
                # What stands behind 'more' is parsed after the first screen is painted.
                page.locator("main noscript").first.wait_for(state="detached")
        return held

    yield open_page
    for each in contexts:
        each.close()
