"""Measure how long a page takes to load in headless Chromium.

Run as ``make benchmark-page``, or from the root of the repository::

    .venv/bin/python benchmarks/loading.py results/tcga-brca/report.html results/overview.html

A page is opened from its file, offline, in a fresh context each time, 1280 by 800 pixels: once to
warm up and then seven times. Printed are medians of ``loadEventEnd`` of the navigation's timing, by
the clock and so of an idle machine only, and of the processor time of the page's main thread until
then, which depends less on what else the machine does; with them the machine's load.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LOADS = 7
NAMES = ("chromium", "chromium-browser", "google-chrome")
SCREEN = {"width": 1280, "height": 800}
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def loaded(browser: Browser, file: Path) -> tuple[float, float]:
    """Return milliseconds until a page is loaded, by the clock and of its main thread."""
    context = browser.new_context(offline=True, viewport=SCREEN)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    before = busy()
    page.goto(file.resolve().as_uri(), wait_until="load")
    times = page.evaluate(LOADED), 1000 * (busy() - before)
    context.close()
    return times


def main() -> None:
    """Print the size and the medians of every page."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise SystemExit(f"no Chromium: none of {', '.join(NAMES)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for file in map(Path, sys.argv[1:]):
            times = [loaded(browser, file) for _ in range(LOADS + 1)][1:]
            clock, thread = (statistics.median(each) for each in zip(*times, strict=True))
            size = file.stat().st_size
            print(
                f"{file}: {size:,} bytes, loaded after {clock:.0f} ms, main thread {thread:.0f} ms"
                f" (load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores)"
            )
        browser.close()


if __name__ == "__main__":
    main()
