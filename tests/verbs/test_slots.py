"""Which device each job gets, and what is refused before anything starts."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from small_study import PROTOCOL, write_study

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.executors.base import Advance, Job, on_device
from realitycheck.executors.inline import InlineExecutor
from realitycheck.executors.local import LocalExecutor
from realitycheck.runs import TrainingPlace
from realitycheck.verbs.advances import running_lines, time_text
from realitycheck.verbs.slots import missing_devices, slots_of


@pytest.mark.parametrize(
    ("device", "workers", "per_device", "computes", "expected"),
    [
        ("auto", None, None, "cpu", ("auto",) * 2),
        ("cpu", 3, None, "cpu", ("cpu",) * 3),
        ("auto", None, None, "cuda", ("auto",)),
        ("cuda:1", None, 3, "cuda", ("cuda:1",) * 3),
        ("cuda:0,cuda:2", None, None, "cuda", ("cuda:0", "cuda:2")),
        ("cuda:0,cuda:2", None, 2, "cuda", ("cuda:0", "cuda:2", "cuda:0", "cuda:2")),
        ("cuda:0,cuda:2", 3, None, "cuda", ("cuda:0", "cuda:2", "cuda:0")),
    ],
)
def test_the_devices_take_turns(device, workers, per_device, computes, expected):
    assert slots_of(device, workers=workers, per_device=per_device, computes=computes) == expected


@pytest.mark.parametrize(
    ("device", "workers", "per_device", "codes"),
    [
        ("gpu", None, None, ["device-unknown"]),
        ("mps", None, None, ["device-unknown"]),
        ("cuda:0,cuda:00", None, None, ["device-unknown"]),
        ("cuda:\u0663", None, None, ["device-unknown"]),
        ("cuda:" + "9" * 5000, None, None, ["device-unknown"]),
        ("cuda:0,cuda:0", None, None, ["device-list-invalid"]),
        ("cpu,cuda:0", None, None, ["device-list-invalid"]),
        ("cuda:0, cuda:1", None, None, ["device-unknown"]),
        ("cuda:0,cuda:1", 1, None, ["workers-few"]),
        ("cuda:0", 2, 2, ["slots-stated-twice"]),
        ("tpu", 2, 2, ["device-unknown", "slots-stated-twice"]),
    ],
)
def test_options_that_do_not_fit_are_refused(device, workers, per_device, codes):
    with pytest.raises(InputError) as error:
        slots_of(device, workers=workers, per_device=per_device, computes="cuda")
    assert [problem.code for problem in error.value.problems] == codes


def test_a_missing_device_is_refused():
    found = list(missing_devices(("cuda:0", "cuda:1", "cuda:2", "cuda:1"), count=lambda: 1))
    assert [problem.code for problem in found] == ["device-missing"] * 2
    assert "cuda:1" in found[0].says and "cuda:2" in found[1].says
    assert not list(missing_devices(("auto", "cpu"), count=lambda: 0))
    assert [problem.code for problem in missing_devices(("cuda",), count=lambda: 0)] == ["device-missing"]


def test_a_run_on_a_missing_device_writes_nothing(tmp_path, monkeypatch):
    from realitycheck.training import device

    monkeypatch.setattr(device, "has_cuda", lambda: True)
    monkeypatch.setattr(device, "gpus", lambda: 1)
    protocol = PROTOCOL.replace("arithmetic: cpu-fp32", "arithmetic: cuda-fp32")
    read = verbs.load_study(write_study(tmp_path, protocol=protocol))
    with pytest.raises(InputError) as error:
        verbs.run_study(read, device="cuda:0,cuda:1")
    assert [problem.code for problem in error.value.problems] == ["device-missing"]
    assert not (tmp_path / "studies" / "small").exists()


def test_a_payload_gets_the_device_of_its_slot():
    place = asdict(TrainingPlace("t", "c", "auto", None))
    assert on_device({"place": place, "spec": {}}, "cuda:1") == {"place": {**place, "device": "cuda:1"}, "spec": {}}
    assert on_device({"device": "auto"}, "cuda:1") == {"device": "cuda:1"}
    assert on_device({"space": {}}, "cuda:1") == {"space": {}}
    assert on_device({"device": "cpu"}, None) == {"device": "cpu"}


def test_jobs_at_one_time_have_different_slots_and_a_free_one_is_used_again():
    devices = ["cuda:0", "cuda:1"]
    executor = LocalExecutor(devices=devices, memory=None, deadline=60.0, preload=(), pins={})
    seen = []
    for names in (("a", "b"), ("c",)):
        for name in names:
            executor.submit(Job("run", name, "g", name, {"place": {"device": "auto"}}), address="standins:echo")
        while len(seen) < {"b": 2, "c": 3}[names[-1]]:
            seen += [one.body["said"]["place"]["device"] for one in executor.wait(seconds=5.0)]
    executor.close()
    assert sorted(seen[:2]) == devices and seen[2] == "cuda:0"


def test_inline_has_one_slot():
    executor = InlineExecutor(device="cuda:3")
    executor.submit(Job("run", "a", "g", "a", {"place": {"device": "auto"}}), address="standins:echo")
    (finished,) = executor.wait(seconds=1.0)
    assert finished.body["said"] == {"place": {"device": "cuda:3"}}


def test_running_jobs_say_how_far_they_are():
    """A quarter of the way after 100 s leaves 300 s."""
    jobs = [Job("run", name, "g", f"job {name}", {}) for name in "abcd"]
    advances = {"a": Advance(1000, 4000, 100.0), "b": Advance(0, 4000, 1.0), "c": Advance(5, 5, 1.0)}
    assert running_lines(jobs, advances) == [
        "job a, 1,000 of 4,000, at most 5 min left",
        "job b, 0 of 4,000",
        "job c, 5 of 5",
        "job d",
    ]


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (720, "12 min"), (12600, "3.5 h")])
def test_durations(seconds, text):
    assert time_text(seconds) == text
