"""Packed notes name no host, no user, no address, and no path outside the package."""

from __future__ import annotations

from pathlib import Path

import pytest

import realitycheck
from realitycheck.records.redaction import redacted

HOME = Path("/home/ada lovelace")
PACKAGE = Path(realitycheck.__file__).parent


def cleaned(text: str) -> str:
    note = {"kind": "failed", "time": "t", "id": "i", "reason": text, "host": "engine"}
    (found,) = redacted([note], folders=[HOME, Path("/")], users=["ada"])
    return found["reason"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/data/birds/a.jpg: no such file", "<path>: no such file"),
        ("OSError: '/data/my birds/a.jpg'", "OSError: '<path>'"),
        ("/home/ada lovelace/birds/a.jpg: No space", "<path>: No space"),
        ("~/birds and ~ada/x, ../outside/b.png", "<path> and <path>, <path>"),
        (r"C:\Users\Ada\birds.jpg or \\server\share\x", "<path> or <path>"),
        ("(/scratch/job.1/x)", "(<path>)"),
        ("ada@engine.example.org wrote", "<address> wrote"),
        ("ssh ada@engine", "ssh <address>"),
        ("https://user:pass@files.example.org/a/b.zip failed", "<address> failed"),
        ("connect to 10.0.0.7:22 refused", "connect to <address> refused"),
        ("connect to fe80::1%eth0 or 2001:db8:0:0:0:0:0:1", "connect to <address> or <address>"),
        ("It was 10.0.0.7. So was b.example.org.", "It was <address>. So was <address>."),
        ("02:42:ac:11:00:02", "<address>"),
        ("node3.cluster.uni.de, gpu-1.internal", "<address>, <address>"),
        ("on engine, by ada", "on <host 1>, by <user>"),
    ],
)
def test_what_is_private_is_replaced(text, expected):
    assert cleaned(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "sketches/contrastive: trial 1/25, fold 1/4",
        "realitycheck 0.2.0 torch 2.10.0+cu128 optuna 4.6.0 numpy 2.3.5",
        "RuntimeError: at::native said no at 12:34:56 in torch.nn.functional",
        "the loss raised ValueError at iteration 3 (forward, line 12)",
        "cuda:0; and/or; 3 / 4; ratio 1:2; engineering; adamw",
    ],
)
def test_what_is_not_private_stays(text):
    assert cleaned(text) == text


def test_a_file_of_the_package_keeps_its_name_in_it():
    text = f'File "{PACKAGE}/training/loop.py", line 3\nFile "/srv/lib/realitycheck/records/ledger.py", line 9'
    assert (
        cleaned(text) == 'File "realitycheck/training/loop.py", line 3\nFile "realitycheck/records/ledger.py", line 9'
    )
    assert cleaned("/home/ada/realitycheck/secret.py") == "<path>"


def test_kinds_order_times_and_numbers_stay():
    notes = [
        {"kind": "started", "time": "1", "host": "b.example.org", "title": "realitycheck 0.2.0", "device": "auto"},
        {"kind": "done", "time": "2", "host": "a", "id": "f" * 64, "seconds": 1.25, "title": "x/y: trial 1/2"},
        {
            "kind": "failed",
            "time": "3",
            "host": "b.example.org",
            "id": "e" * 64,
            "attempt": 1,
            "reason": "b.example.org",
        },
    ]
    found = redacted(notes, folders=[], users=[])
    assert [note["host"] for note in found] == ["<host 1>", "<host 2>", "<host 1>"]
    kept = [{name: value for name, value in note.items() if name not in ("host", "reason")} for note in notes]
    assert [{name: note[name] for name in kept[place]} for place, note in enumerate(found)] == kept
    assert "example" not in str(found)


def test_redacting_again_changes_nothing_and_a_new_host_gets_a_new_number():
    notes = [{"kind": "done", "time": "1", "host": "a", "reason": "/x/y on a"}]
    once = redacted(notes, folders=[], users=[])
    assert redacted(once, folders=[], users=[]) == once
    more = redacted([*once, {"kind": "done", "time": "2", "host": "c"}], folders=[], users=[])
    assert [note["host"] for note in more] == ["<host 1>", "<host 2>"]


def test_values_inside_of_values_are_cleaned():
    note = {"kind": "started", "time": "1", "host": "a", "versions": {"where": ["/opt/x", 3, None]}}
    (found,) = redacted([note], folders=[], users=[])
    assert found["versions"] == {"where": ["<path>", 3, None]}
