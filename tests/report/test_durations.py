"""Wall time by loss and kind of job."""

from __future__ import annotations

import re

from pages import write

from realitycheck.report.durations import KINDS, durations


def done(id, seconds, kind="done"):
    return {"kind": kind, "id": id, "seconds": seconds, "title": "?"}


ATTEMPTS = [
    done("cub200/circle/0", 0.5),
    done("cub200/circle/1", 0.1),
    done("cub200/circle/0/0", 9.0),
    done("cub200/circle/0/1", 10.0),
    done("cub200/circle/5/3", 14.0),
    done("cub200/circle/seed 2/1", 20.0),
    done("cub200/circle/seed 2", 31.0),
    done("cub200/circle/seed 0/folds", 7.0),
    done("cub200/circle/seed 0/folds", 8.0),  # its first result was lost
    done("cub200/circle/seed 1/complete", 2.0),
    done("cub200/soft_triple/seed 1/1", 4.0),
    done("cub200/soft_triple/seed 1/2", 40.0, kind="failed"),
    done("of another study", 5.0),
    {"kind": "done", "id": "cub200/soft_triple/seed 1/3"},
]


def test_medians_by_hand(dataset):
    circle, soft_triple = durations([dataset], ATTEMPTS)
    assert (circle.dataset, circle.label, circle.jobs) == ("cub200", "circle", 10)
    assert dict(zip(KINDS, circle.medians, strict=True)) == {
        "proposal": 0.3,
        "search fold run": 10.0,
        "final fold run": 20.0,
        "complete run": 31.0,
        "score of fold models": 7.5,
        "score of complete": 2.0,
    }
    assert (soft_triple.label, soft_triple.jobs) == ("soft_triple", 1)
    assert soft_triple.medians == (None, None, 4.0, None, None, None)


def test_they_stand_in_the_provenance_alone(study, dataset, tmp_path, texts):
    write(study, [dataset], tmp_path / "with", attempts=ATTEMPTS)
    write(study, [dataset], tmp_path / "without")
    here, there = texts(tmp_path / "with"), texts(tmp_path / "without")
    assert {name for name in here if here[name] != there[name]} == {"provenance.html"}
    row = next(line for line in here["provenance.html"].decode().splitlines() if "<td>circle</td>" in line)
    assert re.findall(r'class="n">([^<]+)<', row) == ["0.30", "10.00", "20.00", "31.00", "7.50", "2.00", "10"]
    assert b"Wall time" not in there["provenance.html"]
