"""The parts of the page that only some studies have."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

from pages import Seen, texts_of

from realitycheck.protocol.model import Phase


def test_forewords_come_around_the_protocols_summary(study, dataset):
    files = {
        "study.yaml": "# Why.\n# And how.\n#\n# A caveat.\nstudy: x\n# no\n",
        "protocol.yaml": "# Beware.\nprotocol: y\n",
    }
    text = Seen(texts_of(study, [dataset], sources=files)["index.html"]).text
    measured = " ".join(text.split("What was measured")[1].split("Glossary")[0].split())
    assert measured.startswith("Why. And how. A caveat. Protocol quick: A protocol for tests. Beware. The files")


def test_a_reconstruction_is_marked_and_explained(study, dataset, monkeypatch):
    entries = {"circle": SimpleNamespace(status="reconstruction", reference="")}
    monkeypatch.setattr("realitycheck.losses.menu.entry", entries.get)
    text = texts_of(study, [dataset])["index.html"]
    assert "neither official code nor a full formula of this loss is published" in text
    assert not re.findall(r'<th scope="row[a-z]*"[^>]*>circle</th>', text)
    marks = re.findall(r'<th scope="row[a-z]*"[^>]*>circle<span class="mark">\(reconstruction\)<', text)
    assert len(marks) == 14  # four of them are runners-up


def test_a_follow_up_is_explained(study, dataset):
    followup = Phase(name="followup", cap=200, evaluate_every=50, patience=3)
    phases = (*study.protocol.phases, followup)
    two = study.model_copy(update={"protocol": study.protocol.model_copy(update={"phases": phases})})
    text = Seen(texts_of(two, [dataset])["index.html"]).text
    for part in ("Its follow-up", "In the follow-up, followup_x replaces x", "its curve may jump there"):
        assert part in text


def test_two_datasets_have_a_part_each(study, dataset):
    again = study.datasets[0].model_copy(update={"name": "again"})
    two = study.model_copy(update={"datasets": (*study.datasets, again)})
    page = texts_of(two, [dataset, replace(dataset, dataset="again")])["index.html"]
    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", page) == [
        *("cub200", "again", "Registration", "What was not equal", "What was measured", "Data", "Study files"),
    ]
    assert page.count(">Test scores</h3>") == 2
    assert page.count('<p class="lead">On <b>') == 2
