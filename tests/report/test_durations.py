"""Wall time by loss and kind of job."""

from __future__ import annotations

import re

import pytest
from pages import write

from realitycheck.records.schema import proposal_id
from realitycheck.report.provenance import KINDS, durations, machines, step_counts


def done(id, seconds, kind="done"):
    return {"kind": kind, "id": id, "seconds": seconds, "title": "?"}


@pytest.fixture(scope="module")
def attempts(dataset):
    (circle,), (soft_triple,) = (loss.searches for loss in dataset.losses[1:])
    replicates = circle.replicates
    return [
        done(proposal_id("search 0 of circle", 0), 0.5),
        done(proposal_id("search 0 of circle", 1), 0.1),
        done(circle.trials[0].runs[0].id, 9.0),
        done(circle.trials[0].runs[1].id, 10.0),
        done(circle.trials[5].runs[3].id, 14.0),
        done(replicates[2].fold_runs[1].id, 20.0),
        done(replicates[2].complete_run.id, 31.0),
        done(replicates[0].scores["clean"].folds.id, 7.0),
        done(replicates[0].scores["clean"].folds.id, 8.0),  # its first result was lost
        done(replicates[1].scores["clean"].complete.id, 2.0),
        done(soft_triple.replicates[1].fold_runs[1].id, 4.0),
        done(soft_triple.replicates[1].fold_runs[2].id, 40.0, kind="failed"),
        done("of another study", 5.0),
        {"kind": "done", "id": soft_triple.replicates[1].fold_runs[3].id},
    ]


def test_medians_by_hand(dataset, attempts):
    circle, soft_triple = durations([dataset], attempts)
    assert (circle.dataset, circle.label, circle.jobs) == ("cub200", "circle", 10)
    assert dict(zip(KINDS, circle.medians, strict=True)) == {
        "proposal": 0.3,
        "selection": None,
        "search fold run": 10.0,
        "final fold run": 20.0,
        "complete run": 31.0,
        "score of fold models": 7.5,
        "score of complete": 2.0,
    }
    assert (soft_triple.label, soft_triple.jobs) == ("soft_triple", 1)
    assert soft_triple.medians == (None, None, None, 4.0, None, None, None)


def test_they_are_in_the_provenance_alone(study, dataset, attempts, tmp_path, texts):
    write(study, [dataset], tmp_path / "with", attempts=attempts)
    write(study, [dataset], tmp_path / "without")
    here, there = texts(tmp_path / "with"), texts(tmp_path / "without")
    assert {name for name in here if here[name] != there[name]} == {"provenance.html"}
    row = next(line for line in here["provenance.html"].decode().splitlines() if "<td>circle</td>" in line)
    assert re.findall(r'class="n">([^<]+)<', row) == ["0.30", "–", "10.00", "20.00", "31.00", "7.50", "2.00", "10"]
    assert b"Wall time" not in there["provenance.html"]


def test_replayed_runs_are_counted(study, dataset, tmp_path, texts):
    ways = ["CUDA graph", "eager: a step had no gradient", "CUDA graph"]
    notes = [{"kind": "done", "id": str(number), "steps": way} for number, way in enumerate(ways)]
    others = [{"kind": "done", "id": "8"}, {"kind": "diverged", "id": "9", "steps": "CUDA graph"}]
    assert step_counts([*notes, *others]) == [("CUDA graph", 2), ("eager: a step had no gradient", 1)]
    write(study, [dataset], tmp_path / "with", attempts=[*notes, *others])
    write(study, [dataset], tmp_path / "without", attempts=others[:1])
    shown, hidden = (texts(tmp_path / name)["provenance.html"].decode() for name in ("with", "without"))
    assert "CUDA graphs" in shown and "eager: a step had no gradient" in shown
    assert "CUDA graphs" not in hidden


def test_the_machines_of_a_study_are_compared(study, dataset, tmp_path, texts):
    notes = [
        {"kind": "done", "id": str(number), "time": f"2026-01-0{number}", "machine": name}
        for number, name in ((1, "CPU A, torch 1"), (2, "CPU B, torch 1"), (3, "CPU A, torch 1"))
    ]
    unsaid = {"kind": "done", "id": "4", "time": "2026-01-04"}
    assert {name: len(times) for name, times in machines([*notes, unsaid]).items()} == {
        "CPU A, torch 1": 2,
        "CPU B, torch 1": 1,
    }
    write(study, [dataset], tmp_path / "two", attempts=notes)
    write(study, [dataset], tmp_path / "one", attempts=notes[:1])
    two, one = (texts(tmp_path / name)["provenance.html"].decode() for name in ("two", "one"))
    assert "CPU A, torch 1; CPU B, torch 1" in two and "2 kinds of machine" in two
    assert "kinds of machine" not in one and "CPU A, torch 1" in one
