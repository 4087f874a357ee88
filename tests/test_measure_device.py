"""The script of `make gpu` at its smallest size on the CPU: the steps hold there, and what fails is on the page."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from realitycheck.training.loop import Trainer
from realitycheck.trunks.bn_inception import BNInception

FOLDER = Path(__file__).parent / "gpu"
sys.path.insert(0, str(FOLDER))

import device_harness  # noqa: E402
import device_mps  # noqa: E402
import device_processes  # noqa: E402
import device_steps  # noqa: E402
import device_study  # noqa: E402
import device_timing  # noqa: E402
import measure_device  # noqa: E402

TINY = measure_device.SIZES["tiny"]


@pytest.fixture
def saved(monkeypatch):
    """Do a step; what it saved last. A process of the script ends with its step, this one goes on."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    flags = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)

    def do(step):
        results = []
        step(TINY, "cpu", results.append)
        return results[-1]

    yield do
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = flags


def failed(result):
    return [says for says in result["says"] if measure_device._is_bad(says)]


@pytest.mark.parametrize("name", ["facts", "metrics", "draws"])
def test_a_step_holds_where_the_device_is_the_cpu(saved, name):
    result = saved(getattr(device_steps, name))
    assert failed(result) == []
    assert all(result["tables"].values())


def test_losses_equal_those_of_the_cpu(saved):
    result = saved(device_steps.losses)
    (rows,) = result["tables"].values()
    assert [(row["repeats"], row["value"], row["gradient"]) for row in rows] == 2 * [(True, 0, 0)]
    assert result["says"][1:] == ["Whether a step makes the host wait was not looked at: there is no GPU."]
    assert failed(result) == []


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    names = ["contrastive", "moco"]
    return device_study.StudyHome(tmp_path_factory.mktemp("home"), "cpu", names, steps=20, every=10)


def test_one_step_of_a_training_is_watched(home):
    """It is the third one; a loss with a copy of the model draws a second view."""
    for name in ("contrastive", "moco"):
        modes = []
        assert device_steps._waits(home, name, "cpu", watch=modes.append) == ""
        assert modes == ["default", "default"] * 2 + ["error", "default"]


def test_a_step_that_waits_is_named(home, monkeypatch):
    def read(self, sums, vectors):
        raise RuntimeError("called a synchronizing CUDA operation\nand more")

    monkeypatch.setattr(Trainer, "take_step", read)
    modes = []
    row = {"repeats": True, "host waits": device_steps._waits(home, "contrastive", "cpu", watch=modes.append)}
    assert device_steps._loss_bad(row) == "a step makes the host wait: called a synchronizing CUDA operation"
    assert modes[-1] == "default"


def test_every_sixth_run_equals_that_of_the_cpu(saved):
    (rows,) = saved(device_steps.runs)["tables"].values()
    assert [(row["loss"], row["repeats"]) for row in rows] == [("contrastive", True)]
    assert rows[0]["largest distance of curves, points"] == 0


def test_a_loss_that_draws_anew_is_named(saved, monkeypatch):
    steps, numbers = device_steps._loss_steps, iter(range(100))

    def moved(*options):
        values, gradients = steps(*options)
        return [value + 1e-6 * next(numbers) for value in values], gradients

    monkeypatch.setattr(device_steps, "_loss_steps", moved)
    assert failed(saved(device_steps.losses)) == [
        f"FAILED: {name}: two runs on the device differ" for name in ("contrastive", "triplet")
    ]


def test_a_training_that_differs_is_named(saved, monkeypatch):
    train, numbers = device_steps._training, iter(range(100))

    def moved(*options):
        curve = train(*options)
        curve["weights"] += str(next(numbers))
        return curve

    monkeypatch.setattr(device_steps, "_training", moved)
    assert len(failed(saved(device_steps.runs))) == 1


def test_trunks_repeat_and_tokens_are_of_another_size_than_their_own(saved):
    pytest.importorskip("timm")
    result = saved(device_timing.trunks)
    (rows,) = result["tables"].values()
    assert failed(result) == []
    assert [row["trunk"] for row in rows][3:] == ["timm_class_token:vit_small_patch14_dinov2"]
    assert all(row["repeats"] for row in rows)


def test_trunks_of_timm_are_left_out_without_it(saved, monkeypatch):
    monkeypatch.setattr(device_timing, "find_spec", lambda name: None)
    monkeypatch.setattr(device_timing, "_trunk_row", lambda *given: {"repeats": True})
    result = saved(device_timing.trunks)
    assert result["says"] == ["All 3 repeat bit for bit.", "timm is not installed, so its trunks were left out."]


def test_steps_have_a_row_with_contiguous_memory(saved, monkeypatch):
    formats = []
    forward = BNInception.forward

    def seen(self, images):
        formats.append(images.contiguous(memory_format=torch.channels_last).stride()[1] == 1)
        return forward(self, images)

    monkeypatch.setattr(BNInception, "forward", seen)
    result = saved(device_timing.steps)
    (rows,) = result["tables"].values()
    assert failed(result) == []
    assert [row["mode"] for row in rows if row["trunk"] == "bn_inception"] == ["fp32", "fp32, contiguous", "fp32"]
    assert [last for last, before in zip(formats, [None, *formats], strict=False) if last != before] == [
        True,
        False,
        True,
    ]


class Stepping:
    """A loop of which a step takes a hundredth of a second of a clock."""

    def __init__(self, clock):
        self.clock = clock

    def step(self):
        self.clock[0] += 0.01


def test_processes_wait_for_the_device_after_ten_steps(monkeypatch):
    """Waiting after each step would leave the device idle, and several processes would seem to gain more."""
    clock, waits = [0.0], []
    monkeypatch.setattr(device_processes.time, "time", lambda: clock[0])
    monkeypatch.setattr(device_processes, "wait", lambda device: waits.append(round(100 * clock[0])))
    assert device_processes._rate(Stepping(clock), "bf16", 0.245, "cuda") == pytest.approx(100)
    assert waits == [10, 20, 25]


def test_processes_are_measured(saved):
    (rows,) = saved(device_processes.processes)["tables"].values()
    assert [(row["mode"], row["processes"]) for row in rows] == [("fp32", 1)]
    assert rows[0]["images a second, all together"] > 0


def test_the_steps_fit_into_the_minutes():
    seconds = [seconds for _, seconds in measure_device.STEPS.values()]
    assert sum(seconds) <= 60 * measure_device.MINUTES
    assert list(measure_device.STEPS)[:4] == ["facts", "steps", "scoring", "processes"]


def test_a_step_gets_what_earlier_ones_did_not_use(tmp_path, monkeypatch):
    limits = []
    clock = [0.0]
    monkeypatch.setattr(measure_device.time, "monotonic", lambda: clock[0])

    def step(name, args, limit, env, folder):
        limits.append((name, limit))
        clock[0] += 20
        return {"says": [], "tables": {}, "seconds": 20.0}

    monkeypatch.setattr(measure_device, "_step", step)
    given = {"out": tmp_path, "minutes": 1.5, "commit": "abc", "size": "tiny", "device": "cuda"}
    measure_device.all_steps(argparse.Namespace(**given, steps=["facts", "scoring", "trunks"]))
    assert limits == [("facts", 30), ("scoring", 40), ("trunks", 50)]


def test_scoring_is_timed(saved):
    result = saved(device_timing.scoring)
    assert failed(result) == []
    assert [row["items"] for row in result["tables"]["Scoring"]] == [200, 200, 200]


def test_the_harness_has_the_same_weights_in_every_way(saved):
    result = saved(device_harness.harness)
    (rows,) = result["tables"].values()
    assert failed(result) == []
    assert [row["batches"] for row in rows] == list(device_harness.WAYS)
    assert [row["steps"] for row in rows] == ["eager", "eager", "eager", "CUDA graph"]
    assert {row["arithmetic"] for row in rows} == {"cpu-fp32"}


def test_a_way_with_other_weights_is_named(saved, monkeypatch):
    own, numbers = device_harness._harness_row, iter(range(100))
    monkeypatch.setattr(device_harness, "_harness_row", lambda *given: own(*given) | {"weights": next(numbers)})
    assert failed(saved(device_harness.harness)) == [
        f"FAILED: cpu-fp32, {way}: other weights" for way in device_harness.WAYS[1:]
    ]


def test_replayed_trainings_equal_eager_ones(saved):
    (rows,) = saved(device_harness.graphs)["tables"].values()
    assert [(row["same bits"], row["steps"]) for row in rows] == 2 * [(True, "CUDA graph")]


def test_mps_is_not_measured_without_a_gpu(saved):
    assert saved(device_mps.mps)["says"] == ["Not measured: there is no GPU."]


def test_the_service_that_was_started_is_ended(tmp_path):
    serve = f"touch {tmp_path}/control; exec sleep 60"
    control = device_mps.start(tmp_path, command=("sh", "-c", serve))
    device_mps.end(control, command=("sh", "-c", f"kill {control.pid}"))
    assert control.returncode is not None
    assert device_mps.start(tmp_path / "nowhere", command=("false",)) is None


def measured(out: Path, *options: str) -> tuple[dict, str]:
    """What the script found, and its page."""
    script = str(FOLDER / "measure_device.py")
    command = [sys.executable, script, "--out", str(out), "--device", "cpu", "--size", "tiny", *options]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    (page,) = out.glob("*.md")
    return json.loads(page.with_suffix(".json").read_text()), page.read_text()


def test_the_script_writes_page_and_json(tmp_path):
    found, page = measured(tmp_path, "--commit", "abc", "--steps", "facts")
    assert found["commit"] == "abc"
    assert "Nothing." in page
    assert f"| torch | {torch.__version__} |" in page


def test_steps_without_time_are_named(tmp_path):
    found, page = measured(tmp_path, "--steps", "facts", "losses", "--minutes", "0.01")
    assert [step["says"] for step in found["steps"].values()] == 2 * [["STOPPED: not begun, no time was left."]]
    assert "losses: STOPPED" in page


def test_a_step_that_ends_early_keeps_what_it_saved(tmp_path):
    (tmp_path / "facts.json").write_text(json.dumps({"says": ["one"], "tables": {}}))
    args = type("Options", (), {"device": "cpu", "size": "no such size"})()
    step = measure_device._step("facts", args, 60, None, tmp_path)
    assert step["says"][0] == "one"
    assert step["says"][1].startswith("FAILED: the step ended with 2")
