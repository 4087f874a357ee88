"""The parts of the page that only some studies have."""

from __future__ import annotations

import re
from types import SimpleNamespace

from pages import Seen, write

from realitycheck.protocol.model import Phase
from realitycheck.report.page import foreword


def test_what_the_files_say_of_themselves_comes_first(study, dataset, tmp_path):
    files = {
        "study.yaml": "# Why.\n# And how.\n#\n# A caveat.\nstudy: x\n# no\n",
        "protocol.yaml": "# Beware.\nprotocol: y\n",
    }
    write(study, [dataset], tmp_path, sources=files)
    text = Seen((tmp_path / "index.html").read_text()).text
    measured = text.split("What was measured")[1].split("The words of the tables")[0]
    assert "Why. And how. A caveat. Protocol quick: A protocol for tests. Beware. The files" in measured
    assert foreword(files["study.yaml"]) == ["Why. And how.", "A caveat."]
    assert foreword("study: x\n# no\n") == foreword("") == []


def test_the_noise_floor_has_a_section_of_its_own(study, dataset, tmp_path):
    named = study.model_copy(update={"same": ("circle", "soft_triple")})
    write(named, [dataset], tmp_path)
    text = Seen((tmp_path / "index.html").read_text()).text
    sentence = re.search(r"Two names of one function spread over \d\.\d\d points; [01] of 1 pairs [^.]*\.", text)[0]
    assert text.count(sentence) == 2
    assert "The noise floor" in text
    assert (tmp_path / "figures" / "noise-cub200.svg").exists()


def test_a_reconstruction_is_marked_and_explained(study, dataset, tmp_path, monkeypatch):
    entries = {"circle": SimpleNamespace(status="reconstruction")}
    monkeypatch.setattr("realitycheck.losses.menu.entry", entries.get)
    write(study, [dataset], tmp_path)
    text = (tmp_path / "index.html").read_text()
    assert "no official code or full formula of this loss is published" in text
    assert not re.findall(r'<th scope="row[a-z]*"[^>]*>circle</th>', text)
    assert len(re.findall(r'<th scope="row[a-z]*"[^>]*>circle<span class="mark">\(reconstruction\)<', text)) == 6


def test_a_follow_up_is_told_of(study, dataset, tmp_path):
    followup = Phase(name="followup", cap=200, evaluate_every=50, patience=3)
    phases = (*study.protocol.phases, followup)
    two = study.model_copy(update={"protocol": study.protocol.model_copy(update={"phases": phases})})
    write(two, [dataset], tmp_path)
    text = Seen((tmp_path / "index.html").read_text()).text
    for part in ("Its follow-up", "followup_x takes the place of x", "so its curve may jump there"):
        assert part in text
