"""Writing a report, and reading its pages as a browser would."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from realitycheck.report.page import write_report


class Seen(HTMLParser):
    """Tags, attributes, text and unclosed tags of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = set(), [], [], []
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
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))


def write(study, evidence, folder, **changes):
    told = {
        "sources": {"study.yaml": "study: margins\n"},
        "credit": ["Images: Wah et al. (2011)."],
        "ledger_digest": "ab" * 32,
        "attempts": [],
    }
    return write_report(study, evidence, folder=folder, **{**told, **changes})
