"""Making a report, and reading its pages as a browser would."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from realitycheck.report.findings import find_all
from realitycheck.report.menu import SECTIONS
from realitycheck.report.page import page_text, table_texts, write_report
from realitycheck.report.parts import make_parts
from realitycheck.report.sections.base import Section

SOURCES = {"study.yaml": "study: margins\n"}
CREDIT = ["Images: Wah et al. (2011)."]


class Seen(HTMLParser):
    """Tags, attributes, text and unclosed tags of a page; text without the contents list, style and script."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = set(), [], [], []
        self.scripts = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif not {"nav", "style"} & set(self.open):
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))


def write(study, evidence, folder, **changes):
    defaults = {"sources": SOURCES, "credit": CREDIT, "ledger_digest": "ab" * 32, "attempts": []}
    return write_report(study, evidence, folder=folder, **{**defaults, **changes})


def findings_of(study, evidence, **changes):
    return find_all(study, evidence, **{"sources": SOURCES, "credit": CREDIT, **changes})


def found_in(study, dataset, section: Section):
    """What a section of a dataset finds."""
    return section.find(findings_of(study, [dataset]).datasets[0])


def texts_of(study, evidence, *, sections=SECTIONS, **changes):
    """Every text of a report by file name, the page among them; nothing is written."""
    findings = findings_of(study, evidence, **changes)
    parts = make_parts(findings, sections)
    return {**table_texts(findings, parts), "index.html": page_text(findings, parts, ledger_digest="ab" * 32)}


def html_section(page, heading):
    """The HTML below a heading of level 3, up to the next heading."""
    return re.split(r"<h[23][ >]", page.split(f">{heading}</h3>")[1])[0]


def markdown_section(text, heading):
    """The Markdown below a heading of level 3, up to the next heading."""
    return re.split(r"\n##", text.split(f"### {heading}\n")[1])[0]


def markdown_row(text, label):
    """The cells of the first row of a label."""
    line = next(line for line in text.replace("\\", "").splitlines() if re.match(rf"\| {label}( \(.*\))? \|", line))
    return [cell.strip() for cell in line.strip("|").split("|")]
