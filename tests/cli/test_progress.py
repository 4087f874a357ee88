"""Progress as a person and as a program read it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from rich.console import Console

from realitycheck.cli import progress
from realitycheck.search.standing import Standing
from realitycheck.verbs import Activity


def standing(label: str = "contrastive", *, searched: int = 3, final: int = 0, best: float | None = None) -> Standing:
    return Standing("birds", label, 0, 2, (searched, 8), (final, 4), (0, 2), 1, best)


def drawn(table, width: int) -> list[str]:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get().splitlines()


@pytest.mark.parametrize("label", ["contrastive", "multi_similarity_mined", "triplet_distance_weighted"])
def test_names_are_whole_at_80_columns(label):
    lines = drawn(progress.standings_table([standing(label)], width=80), 80)
    assert max(map(len, lines)) <= 80
    words = {word.strip("/") for line in lines for word in line.replace("/", "/ ").split()}
    assert {"birds", label} <= words


@pytest.mark.parametrize(
    ("room", "lines"),
    [(40, ["birds/contrastive/1"]), (18, ["birds/contrastive/", "1"]), (12, ["birds/", "contrastive/", "1"])],
)
def test_a_name_without_room_is_broken_behind_its_slashes(room, lines):
    assert progress.broken_name("birds/contrastive/1", room=room).split("\n") == lines


def test_the_time_left_is_that_of_the_pace_so_far(monkeypatch):
    """Five runs in ten seconds leave 16 of 24, at two seconds each."""
    pace = progress.Pace(searching=False, start=100.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: 100.0)
    assert pace.seconds_left([standing(), standing()]) is None
    monkeypatch.setattr(progress.time, "monotonic", lambda: 110.0)
    both = [standing(searched=5), standing(searched=6)]
    assert pace.seconds_left(both) == pytest.approx((24 - 11) * 10 / 5)
    assert pace.line(both) == "11 of 24 runs, 2 diverged, about 26 s left"
    scored = [replace(both[0], scores=(3, 8)), replace(both[1], scores=(0, 9))]
    assert pace.line(scored) == "11 of 24 runs, 3 of 17 scores, 2 diverged, about 26 s left"


def test_until_search_only_its_runs_count():
    pace = progress.Pace(searching=True)
    assert pace.counts([standing(searched=8, final=2), standing()]) == (11, 16)


def test_json_lines_hold_the_counts_and_the_best_of_each_search(monkeypatch, capsys):
    monkeypatch.setattr(progress, "err", Console(file=None, stderr=True, highlight=False, emoji=False, width=40))
    with progress.display("mine", live=True, mode="json") as views:
        views.runs([standing(best=0.25)], [Activity("birds/contrastive: trial 4", elsewhere=False)])
        views.runs([standing(best=0.25)], [])  # nothing has ended since
        views.making("images of birds", 5, 5)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["event"], first["study"], first["done"], first["planned"]) == ("runs", "mine", 3, 12)
    assert first["searches"] == [{"name": "birds/contrastive/1", "done": 3, "planned": 12, "best": 0.25}]
    assert first["running"] == ["birds/contrastive: trial 4"]
    assert (second["event"], second["title"], second["done"]) == ("preparation", "images of birds", 5)


def test_a_log_says_how_far_the_first_running_job_is(monkeypatch, capsys):
    monkeypatch.setattr(progress, "err", Console(file=None, stderr=True, highlight=False, emoji=False, width=40))
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    first = Activity("birds/contrastive: trial 1, 300 of 900, at most 2.0 h left", elsewhere=False)
    with progress.display("mine", live=False, mode="plain") as views:
        views.runs([standing()], [first, Activity("birds/triplet: trial 1", elsewhere=False)])
        views.runs([standing()], [])
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("; birds/contrastive: trial 1, 300 of 900, at most 2.0 h left and 1 more")
    assert ";" not in said[1]


def test_quiet_prints_nothing(capsys):
    with progress.display("mine", live=True, mode="quiet") as views:
        views.runs([standing()], [])
        views.making("images", 1, 1)
    assert capsys.readouterr().err == ""
