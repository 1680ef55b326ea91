"""The pages of the finished run, and Snakemake's own report around them, in Chromium."""

import zipfile

import pytest
from accessibility import violations

pytestmark = [pytest.mark.browser, pytest.mark.workflow]


def test_the_pages_of_a_run_are_as_good(opened, finished):
    results = finished.folder / "results"
    for file in (results / "overview.html", results / "simulated" / "report.html"):
        held = opened(file)
        assert held.requests == [file.as_uri()]
        assert held.complaints == []
        assert violations(held.page) == []


def test_the_report_of_snakemake_shows_the_pages(opened, bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path)
    bundled = tmp_path / "report"
    assert opened(bundled / "report.html").page.get_by_text("Datasets").first.is_visible()
    overview = next((bundled / "data").rglob("overview.html"))
    page = opened(overview).page
    page.locator("a[href$='report.html']").first.click()
    assert (bundled / "data").as_uri() in page.url
    assert page.locator("#verdict").is_visible()
