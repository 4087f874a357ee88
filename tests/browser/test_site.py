"""The site of the documentation, built and opened from a disk: `make browser`."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from chromium import Chromium

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site; a warning of Sphinx is an error."""
    folder = tmp_path_factory.mktemp("site")
    words = ["-c", str(ROOT / "docs"), "-b", "html", "-W", "--keep-going", "--quiet", "-d", str(folder / "doctrees")]
    subprocess.run([sys.executable, "-m", "sphinx", *words, str(ROOT), str(folder / "html")], check=True)
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site):
    """Every page but those of reports, which `test_pages` opens."""
    return [
        path for path in sorted(site.rglob("*.html")) if "reports" not in path.parts and path != site / "index.html"
    ]


@pytest.fixture(scope="module")
def browser():
    with Chromium() as chromium:
        yield chromium


class Page(HTMLParser):
    """Links and anchors of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = set(), {""}
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.anchors |= {named[key] for key in ("id", "name") if named.get(key)}
        self.links |= {named[key] for key in ("href", "src") if named.get(key)}


def test_every_link_leads_to_a_file_and_an_anchor(pages):
    known = {path: Page(path) for path in pages}
    broken = []
    for path, page in known.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchored = target not in known or unquote(parts.fragment) in known[target].anchors
            if not target.is_file() or not anchored:
                broken.append(f"{path.name}: {link}")
    assert broken == []


def test_no_errors_and_no_requests(browser, site, pages):
    for path in [site / "index.html", *pages]:
        browser.errors.clear()
        browser.open(path.as_uri(), width=1280)
        assert browser.errors == [], path


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_window(browser, pages, width):
    for path in pages:
        browser.open(path.as_uri(), width=width)
        assert browser.script("document.documentElement.scrollWidth") <= width, path


SEARCHED = """new Promise(done => {
    const links = () => [...document.querySelectorAll('#search-results li a')].map(link => link.getAttribute('href'));
    const ended = () => document.querySelector('#search-results .search-summary')?.innerText.includes('found');
    const wait = left => ended() || !left ? done(links()) : setTimeout(wait, 100, left - 1);
    wait(200);
})"""
"""The pages found, once the search has ended: it shows them one by one."""


@pytest.mark.parametrize(
    ("words", "page"),
    [("runners-up", "docs/statistics.html"), ("knob-unknown", "docs/problems.html"), ("t_interval", "docs/api.html")],
)
def test_the_search_finds_a_page(browser, site, words, page):
    browser.open(f"{(site / 'search.html').as_uri()}?q={words}", width=1280)
    assert any(link.partition("#")[0].partition("?")[0].endswith(page) for link in browser.script(SEARCHED))


def test_the_entry_leads_to_the_contents(browser, site):
    """Every page of the list of contents is in the sidebar, and formulas are drawn in the page."""
    browser.open((site / "docs" / "index.html").as_uri(), width=1280)
    assert browser.script("document.querySelectorAll('.sidebar-tree .toctree-l1').length") > 30
    browser.open((site / "docs" / "losses.html").as_uri(), width=1280)
    assert browser.script("document.querySelectorAll('.math svg[role=img]').length") > 50
