"""The report's page in a real browser: `make browser`."""

from __future__ import annotations

import re
from pathlib import Path

import axe_core_python
import pytest
from chromium import Chromium

from realitycheck import verbs
from realitycheck.report.blocks import Column, Heading, Table, rows_of
from realitycheck.report.writers import html_page

ROOT = Path(__file__).parents[2]
AXE = Path(axe_core_python.__file__).with_name("axe.min.js")
WIDTHS = (390, 1280, 1920)


@pytest.fixture(scope="module")
def report(finished, tmp_path_factory):
    """The report of a small study."""
    written = verbs.report_study(verbs.load_study(finished))
    return next(path for path in written if path.name == "index.html")


@pytest.fixture(scope="module")
def pages(report):
    """A page made now, its provenance, and every committed one."""
    committed = sorted(ROOT.glob("reports/*/index.html"))
    return [report, report.with_name("provenance.html"), *committed]


@pytest.fixture(scope="module")
def browser():
    with Chromium() as chromium:
        yield chromium


def test_no_errors_and_no_requests(browser, pages):
    for page in pages:
        browser.errors.clear()
        browser.open(page.as_uri(), width=1280)
        assert browser.errors == [], page


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_its_window(browser, pages, width):
    for page in pages:
        browser.open(page.as_uri(), width=width)
        assert browser.script("document.documentElement.scrollWidth") <= width, page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_accessibility(browser, report, dark, width):
    """axe-core 4 finds nothing: contrast, labels, landmarks, headings, keyboard (WCAG 2.2 A and AA)."""
    for page in (report, report.with_name("provenance.html")):
        browser.open(page.as_uri(), width=width, dark=dark)
        browser.script(AXE.read_text(encoding="utf-8"))
        violations = browser.script(
            "axe.run().then(found => found.violations.map("
            "rule => [rule.id, rule.nodes.slice(0, 5).map(node => node.html.slice(0, 200))]))"
        )
        assert violations == []


SORTABLE = "document.querySelector('table.sortable')"


def column(browser, place):
    """The cells of a column of the first table that sorts."""
    return browser.script(f"[...{SORTABLE}.tBodies[0].rows].map(row => row.cells[{place}].textContent)")


def test_sorting_by_click(browser, report):
    browser.open(report.as_uri(), width=1280)
    original, place = column(browser, 0), 2
    head = f"{SORTABLE}.tHead.rows[{SORTABLE}.tHead.rows.length - 1].cells[{place}]"
    numbers = []
    for direction in ("ascending", "descending"):
        browser.script(f"{head}.querySelector('button').click()")
        assert browser.script(f"{head}.getAttribute('aria-sort')") == direction
        numbers.append([number(text) for text in column(browser, place)])
    assert len(set(numbers[0])) > 1
    assert numbers == [sorted(numbers[0]), sorted(numbers[0], reverse=True)]
    browser.script(f"{head}.querySelector('button').click()")
    assert browser.script(f"{head}.hasAttribute('aria-sort')") is False
    assert column(browser, 0) == original


def number(text):
    return float(re.match(r"[+−-]?[\d.]+", text)[0].replace("−", "-"))


def test_sorting_by_keyboard(browser, report):
    browser.open(report.as_uri(), width=1280)
    browser.script(f"{SORTABLE}.querySelector('button').focus()")
    browser.press("Enter")
    assert browser.script(f"{SORTABLE}.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "ascending"
    names = column(browser, 0)
    assert names == sorted(names)


def test_a_sorted_name_keeps_its_numbers(browser, report):
    browser.open(report.as_uri(), width=1280)
    rows = f"[...{SORTABLE}.tBodies[0].rows].map(row => row.textContent)"
    before = browser.script(rows)
    browser.script(f"[...{SORTABLE}.querySelectorAll('button')].at(-1).click()")
    assert sorted(browser.script(rows)) == sorted(before)


def test_the_first_key_leads_to_the_content(browser, report):
    browser.open(report.as_uri(), width=1280)
    browser.press("Tab")
    assert browser.script("document.activeElement.className") == "skip"
    browser.press("Enter")
    assert browser.script("location.hash") == "#main"


def test_the_contents_list_leads_to_every_heading(browser, report):
    browser.open(report.as_uri(), width=1280)
    missing = browser.script(
        "[...document.querySelectorAll('nav a')].filter(link => !document.querySelector(link.hash)).length"
    )
    assert missing == 0
    headings = browser.script("document.querySelectorAll('main h2, main h3').length")
    assert browser.script("document.querySelectorAll('nav a').length") == headings


def test_print_has_no_controls(browser, report, tmp_path):
    browser.open(report.as_uri(), width=800, media="print")
    assert browser.script("getComputedStyle(document.querySelector('nav')).display") == "none"
    content = "getComputedStyle(document.querySelector('th button'), '::after').content"
    assert browser.script(content) in ('""', "none")
    browser.pdf(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_paper_is_white_in_a_dark_scheme(browser, report):
    browser.open(report.as_uri(), width=800, media="print", dark=True)
    assert browser.script("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_small_p_values_come_first_and_dashes_last(browser, tmp_path):
    cells = ["0.020", "0.318", "–", "< 0.001"]
    table = Table(
        (Column("Loss"), Column("p", number=True)), rows_of([(f"search {10 - n}", p) for n, p in enumerate(cells)])
    )
    path = tmp_path / "page.html"
    path.write_text(html_page.page("T", [Heading(1, "T"), table], ()), encoding="utf-8")
    browser.open(path.as_uri(), width=1280)
    found = []
    for place in (1, 1, 0):
        browser.script(f"{SORTABLE}.querySelectorAll('button')[{place}].click()")
        found.append(column(browser, place))
    assert found == [
        ["< 0.001", "0.020", "0.318", "–"],
        ["0.318", "0.020", "< 0.001", "–"],
        ["search 7", "search 8", "search 9", "search 10"],
    ]
