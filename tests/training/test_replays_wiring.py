"""`--graphs` reaches a run on a GPU alone, and how its steps were computed reaches the notes of the study."""

from __future__ import annotations

import json
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch

from realitycheck.executors.base import Job, VerbAnswer
from realitycheck.executors.call import call, finished
from realitycheck.runs import TrainingPlace
from realitycheck.training import single_run
from realitycheck.training.cuda_graph import CudaGraphs
from realitycheck.verbs.checkpointing import JobPlace


def noted(payload, *, tell):
    return VerbAnswer({"kind": "run"}, None, payload["steps"])


@pytest.mark.parametrize("steps", ["CUDA graph", None])
def test_the_answer_of_a_verb_says_how_its_steps_were_computed(steps):
    answer = call(f"{__name__}:noted", json.dumps({"steps": steps}), tell=lambda done, total: None)
    job = Job("run", "1", "a/b", "c", {})
    assert finished(job, answer, seconds=1.0).steps == steps
    assert ("steps" in json.loads(answer)) == (steps is not None)


@pytest.mark.parametrize(
    ("graphs", "device", "replayed"), [(True, "cuda", True), (False, "cuda", False), (True, "cpu", False)]
)
def test_only_a_run_on_a_gpu_is_replayed_and_only_if_asked(monkeypatch, graphs, device, replayed):
    monkeypatch.setattr(single_run, "CudaGraphs", lambda device: "graphs")
    spec = SimpleNamespace(sources={"mine:Loss": "1"})
    place = TrainingPlace("data", "cache", device, None, graphs=graphs)
    made = single_run.replays_of(spec, place, torch.device(device))
    assert (made is not None) == replayed
    assert not replayed or (made.capture, made.sources) == ("graphs", ("mine:Loss",))


def test_the_place_of_a_training_alone_says_it():
    place = JobPlace(device="cuda", every=1.0, graphs=True, until=None)
    assert place.of({"cache": "c"}, kind="run") == {"cache": "c", "checkpoint_seconds": 1.0, "graphs": True}
    assert place.of({"cache": "c"}, kind="score") == {"cache": "c"}


@pytest.mark.parametrize("name", ["RMSprop", "Adam"])
def test_optimizers_are_made_ready_before_and_after_they_have_a_state(name):
    """torch refuses to record an optimiser whose groups are not `capturable`."""
    weight = torch.nn.Parameter(torch.ones(2, device="meta"))
    optimizer = getattr(torch.optim, name)([weight], lr=0.1)
    graphs = object.__new__(CudaGraphs)  # its constructor needs a GPU
    graphs.prepare([optimizer])
    assert optimizer.param_groups[0]["capturable"] is True
    optimizer.param_groups[0]["capturable"] = False
    optimizer.state[weight] = {"step": torch.zeros(())}
    graphs.prepare([optimizer])
    assert (optimizer.state[weight]["step"].device.type, optimizer.param_groups[0]["capturable"]) == ("meta", True)


def test_an_optimizer_without_the_option_stays_as_it_is():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1)
    before = dict(optimizer.param_groups[0])
    object.__new__(CudaGraphs).prepare([optimizer])
    assert dict(optimizer.param_groups[0]) == before


@pytest.mark.parametrize("fails", [False, True])
def test_a_recording_is_on_the_stream_of_its_gpu_and_leaves_the_current_one(monkeypatch, fails):
    """As in torch 2.11, whose `graph` leaves its stream current where the end of a recording fails."""
    current = ["default"]

    @contextmanager
    def graph(made, stream):
        current[0] = stream
        yield
        if fails:
            raise RuntimeError("invalidated")
        current[0] = "default"

    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: SimpleNamespace(replay="replay"))
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: current[0])
    monkeypatch.setattr(torch.cuda, "set_stream", lambda stream: current.__setitem__(0, stream))
    monkeypatch.setattr(torch.cuda, "graph", graph)
    graphs, steps = object.__new__(CudaGraphs), []
    graphs.device, graphs.side = torch.device("cuda:1"), "that of cuda:1"
    with pytest.raises(RuntimeError, match="invalidated") if fails else nullcontext():
        assert graphs.record(lambda: steps.append(current[0])) == "replay"
    assert (steps, current) == (["that of cuda:1"], ["default"])
