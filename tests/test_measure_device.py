"""The script of `make gpu`, at its smallest size on the CPU: every step ends, and what fails is on the page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "gpu" / "measure_device.py"


def measured(out: Path, *options: str) -> tuple[dict, str]:
    """What the script found, and its page."""
    command = [sys.executable, str(SCRIPT), "--out", str(out), "--device", "cpu", "--size", "tiny"]
    subprocess.run([*command, "--minutes", "30", *options], check=True, capture_output=True, timeout=1800)
    (page,) = out.glob("*.md")
    return json.loads(page.with_suffix(".json").read_text()), page.read_text()


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    out = tmp_path_factory.mktemp("measured")
    return measured(out, "--commit", "abc", "--steps", "facts", "losses", "draws", "runs", "scoring")


def test_no_step_fails_on_a_cpu(quick):
    found, page = quick
    assert "Nothing." in page
    assert found["commit"] == "abc"
    assert [name for name, step in found["steps"].items() if not step["tables"]] == []


def test_a_device_that_is_the_cpu_equals_it(quick):
    steps = quick[0]["steps"]
    (losses,), (runs,) = steps["losses"]["tables"].values(), steps["runs"]["tables"].values()
    assert [(row["repeats"], row["value"], row["gradient"]) for row in losses] == 2 * [(True, 0, 0)]
    assert [row["repeats"] for row in runs] == [True, True]
    assert runs[0]["largest distance of curves, points"] == 0


def test_steps_without_time_are_named(tmp_path):
    found, page = measured(tmp_path, "--steps", "facts", "losses", "--minutes", "0.01")
    assert [says for step in found["steps"].values() for says in step["says"]] == 2 * [
        "STOPPED: not begun, no time was left."
    ]
    assert "losses: STOPPED" in page


def test_a_step_that_ends_early_keeps_what_it_saved(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import measure_device

    (tmp_path / "facts.json").write_text(json.dumps({"says": ["one"], "tables": {}}))
    args = type("Options", (), {"device": "cpu", "size": "no such size"})()
    step = measure_device._step("facts", args, 60, None, tmp_path)
    assert step["says"][0] == "one"
    assert step["says"][1].startswith("FAILED: the step ended with 2")
