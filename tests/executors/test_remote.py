"""Jobs on nodes that share no disk, over a transport within this process: what travels, what is lost, what comes back.

A host is a real `NodeHost` in a folder of its own, but jobs run inline in it. Each call is answered when it is made.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

import pytest
from nearby_nodes import SILENT, Nearby, executor_over, finish, job_at
from small_study import FINISHED, FROZEN, write_study
from stand_in_run import STAND_INS, carry_out

from realitycheck.errors import RunError, StorageError
from realitycheck.executors import freight, node_files, node_host, remote
from realitycheck.executors.freight import CACHE, STORES, WEIGHTS
from realitycheck.executors.inline import InlineExecutor
from realitycheck.executors.node_files import NodeFiles
from realitycheck.executors.transport import HostFailed, HostLost
from realitycheck.records.ledger import Ledger
from realitycheck.runs import ScoringPlace, TrainingPlace
from realitycheck.stores.cache import checkpoint_path, weights_path


@pytest.fixture(autouse=True)
def _inline(monkeypatch):
    """Jobs of a host run in this process, and its import path stays as it is."""
    monkeypatch.setattr(node_host, "LocalExecutor", lambda **settings: InlineExecutor(device=None))
    monkeypatch.setattr(node_host.sys, "path", list(node_host.sys.path))


@pytest.fixture
def transport(tmp_path):
    return Nearby(tmp_path / "node")


def test_a_store_travels_once_to_a_node(transport, tmp_path):
    executor = executor_over(transport, slots=2)
    for name in "abc":
        executor.submit(job_at(tmp_path, name), address="nearby_nodes:read")
        if name != "b":  # two at once, then one later
            continue
        first, second = finish(executor, 2)
        assert first.body["read"] == second.body["read"] == "pixels" * 1000
    third = finish(executor)
    assert Path(third.body["path"]).is_relative_to(tmp_path / "node")
    received = [call for call in transport.calls if call.method == "receive"]
    assert len(received) == 2, "one chunk of each of its two files"
    assert sorted(path.name for path in (tmp_path / "node" / "files").iterdir()) == sorted(
        hashlib.sha256((tmp_path / "home" / f"trainval{suffix}").read_bytes()).hexdigest()
        for suffix in (".npy", ".json")
    )
    executor.close()
    assert not list((tmp_path / "node" / "jobs").iterdir())
    assert transport.left


@pytest.mark.parametrize(
    "harm", [lambda path: path.write_bytes(b"x" * path.stat().st_size), lambda path: path.unlink()]
)
def test_a_file_that_is_damaged_or_gone_on_the_node_is_sent_again(transport, tmp_path, harm):
    executor = executor_over(transport)
    executor.submit(job_at(tmp_path), address="nearby_nodes:read")
    finish(executor)
    executor.close()
    sha256 = hashlib.sha256(b"pixels" * 1000).hexdigest()
    harm(tmp_path / "node" / "files" / sha256)
    executor = executor_over(transport)
    executor.submit(job_at(tmp_path), address="nearby_nodes:read")
    assert finish(executor).body["read"] == "pixels" * 1000
    received = [call.values[0] for call in transport.calls if call.method == "receive"]
    assert received.count(sha256) == 2 and len(received) == 3
    executor.close()


def test_a_store_that_changed_since_it_was_written_is_a_failure_and_arrives_nowhere(transport, tmp_path):
    executor = executor_over(transport)
    job = job_at(tmp_path)
    (tmp_path / "home" / "trainval.npy").write_bytes(b"pixelz" * 1000)
    executor.submit(job, address="nearby_nodes:read")
    finished = finish(executor)
    assert finished.body is None and "SHA-256" in finished.failure
    assert not list((tmp_path / "node" / "files").glob(hashlib.sha256(b"pixelz" * 1000).hexdigest()))
    executor.close()
    assert not list((tmp_path / "node").rglob("*.partial"))


def test_a_missing_store_is_a_failure_of_the_job(transport, tmp_path):
    executor = executor_over(transport)
    job = job_at(tmp_path)
    (tmp_path / "home" / "trainval.json").unlink()
    executor.submit(job, address="nearby_nodes:read")
    assert "no finished store" in finish(executor).failure
    executor.close()


def test_what_a_job_writes_comes_home_before_its_answer_without_drafts(transport, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "CHUNK", 4)
    executor = executor_over(transport)
    executor.submit(job_at(tmp_path), address="nearby_nodes:keep")
    assert finish(executor).body == {}
    cache = tmp_path / "home" / "cache"
    files = sorted(path for path in cache.rglob("*") if path.is_file())
    assert files == sorted([weights_path(cache, "a"), checkpoint_path(cache, "a")])
    assert weights_path(cache, "a").read_text() == "weights_path"
    executor.close()


def test_a_checkpoint_goes_along_and_a_damaged_one_is_set_aside_at_home(transport, tmp_path):
    path = checkpoint_path(tmp_path / "home" / "cache", "a")
    path.parent.mkdir(parents=True)
    path.write_text("half of a run")
    executor = executor_over(transport)
    executor.submit(job_at(tmp_path), address="nearby_nodes:resume")
    assert "damaged: half of a run" in finish(executor).failure
    assert [(other.name, other.read_text()) for other in path.parent.iterdir()] == [
        (f"{path.name}.damaged-12345678", "half of a run")
    ]
    executor.close()


def test_a_full_disk_of_a_node_comes_home_as_its_sentence(transport, tmp_path):
    executor = executor_over(transport)
    executor.submit(job_at(tmp_path, "a"), address="nearby_nodes:overfill")
    back = finish(executor)
    assert back.body is None and back.storage == "/node/weights: No space left on device. Free some space."
    executor.close()


def test_a_file_that_cannot_be_read_here_is_no_attempt(transport, tmp_path, monkeypatch):
    executor, job = executor_over(transport), job_at(tmp_path, "a")

    def refused(path):
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr(freight, "sha256_of", refused)
    with pytest.raises(StorageError, match="Check the disk"):
        executor.submit(job, address="nearby_nodes:read")
    assert executor.free == 1
    executor.close()


@pytest.mark.parametrize("method", ["open", "state_of", "receive", "start", "poll"])
def test_a_lost_node_is_a_failed_attempt_and_the_next_one_gets_a_new_host(transport, tmp_path, method):
    executor = executor_over(transport)
    lost = []

    def refuse(call, number):
        if call.method == method and not lost:
            lost.append(call)
            raise HostLost("the node is gone")

    transport.refuse = refuse
    executor.submit(job_at(tmp_path), address="nearby_nodes:read")
    finished = finish(executor)
    assert finished.body is None and "the node is gone" in finished.failure
    assert transport.ended == [lost[0].host] and executor.free == 1
    executor.submit(job_at(tmp_path), address="nearby_nodes:read")
    assert finish(executor).body["read"] == "pixels" * 1000
    assert transport.calls[-1].host is not lost[0].host
    executor.close()


@pytest.mark.parametrize(
    ("error", "place", "advanced"),
    [
        (HostLost, "a.safetensors", True),
        (HostLost, "b.safetensors", False),
        (HostLost, "a.safetensors.set-aside", False),
        (HostFailed, "a.safetensors", False),
    ],
)
def test_a_node_that_is_lost_after_a_checkpoint_came_home(transport, tmp_path, error, place, advanced):
    """The job `a` writes a checkpoint; the node is lost before its answer. Files of another name are no progress."""
    executor = executor_over(transport)

    def refuse(call, number):
        if call.method == "poll" and any(each.method == "send" for each in transport.calls):
            raise error("the node is gone")

    transport.refuse = refuse
    executor.submit(job_at(tmp_path, file=place), address="nearby_nodes:checkpoint")
    finished = finish(executor)
    assert finished.body is None and (tmp_path / "home" / "cache" / "checkpoints" / place).exists()
    assert finished.advanced is advanced
    transport.refuse = lambda call, number: call.method == "poll" and raise_lost()
    executor.submit(job_at(tmp_path), address="nearby_nodes:read")
    assert not finish(executor).advanced
    executor.close()


def raise_lost():
    raise HostLost("the node is gone")


def test_a_node_that_answers_nothing_is_given_up(transport, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "NODE_SECONDS", 0.05)
    executor = executor_over(transport)
    transport.refuse = SILENT
    executor.submit(job_at(tmp_path), address="nearby_nodes:read")
    assert "answered nothing" in finish(executor).failure
    assert len(transport.ended) == 1 and executor.free == 1
    executor.close()


def test_a_pause_of_this_process_is_no_silence_of_a_node(transport, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "NODE_SECONDS", remote.LONGEST_GAP + 1.0)
    executor = executor_over(transport)
    transport.refuse = SILENT
    executor.submit(job_at(tmp_path), address="nearby_nodes:read")
    while not any(call.method == "poll" for call in transport.calls):
        assert executor.wait(seconds=0.01) == []
    executor._checked -= 3600.0
    assert executor.wait(seconds=0.0) == []
    executor.close()


def test_nodes_of_another_version_are_refused(transport, tmp_path, monkeypatch):
    executor = executor_over(transport)
    monkeypatch.setattr(node_host, "RESULTS_VERSION", 1)
    executor.submit(job_at(tmp_path), address="nearby_nodes:read")
    with pytest.raises(RunError, match="same version"):
        finish(executor)
    executor.close()


def test_folders_of_processes_that_have_ended_are_deleted(tmp_path):
    live = NodeFiles(tmp_path)
    gone = live.own.with_name(live.own.name.replace(f"-{os.getpid()}-", "-999999999-"))
    gone.mkdir()
    elsewhere = live.own.with_name(f"00000000-1-{live.own.name[-8:]}")
    elsewhere.mkdir()
    other = NodeFiles(tmp_path)
    assert live.own.exists() and elsewhere.exists() and not gone.exists()
    os.utime(elsewhere, (0, 0))
    NodeFiles(tmp_path)
    assert not elsewhere.exists() and other.own.exists()


def test_a_large_file_is_checked_in_several_calls(tmp_path, monkeypatch):
    monkeypatch.setattr(node_files, "SLICE", 10)
    monkeypatch.setattr(node_files, "CHECK_SECONDS", -1.0)
    files = NodeFiles(tmp_path)
    content = b"0123456789" * 3
    sha256 = hashlib.sha256(content).hexdigest()
    files.receive(sha256, content, kept=True, first=True, last=True)
    assert files.state_of(sha256, 30, kept=True) == "sound", "it was checked when it arrived"
    other = NodeFiles(tmp_path)
    assert [other.state_of(sha256, 30, kept=True) for _ in range(4)] == ["checking"] * 3 + ["sound"]
    files.close()
    other.close()


def test_a_place_outside_of_the_folder_has_no_home(tmp_path):
    freight = remote.Loading().freight_of(job_at(tmp_path))
    assert freight.home_of("cache/weights/a") == tmp_path / "home" / "cache" / "weights" / "a"
    assert freight.home_of("cache/../../a") is None and freight.home_of("trainval/a") is None


def test_every_file_of_a_place_travels():
    """Another field that names a file would name, on a node, a file of this machine."""
    fields = {*TrainingPlace.__slots__, *ScoringPlace.__slots__}
    assert fields - {*STORES, CACHE, WEIGHTS} == {"device", "checkpoint_seconds", "graphs"}


@pytest.mark.usefixtures("no_pause")
def test_a_study_with_its_models_is_the_one_of_this_process(transport, tmp_path):
    """Stand-ins write weights into the cache of a run, and read them back for a score."""
    studies = [write_study(tmp_path / name, study=FINISHED) for name in ("here", "there")]
    carry_out(studies[0])
    result = carry_out(studies[1], executor=executor_over(transport, slots=2))
    assert not result.left and not result.alarms
    here, there = (Ledger(study.parent / "small").records for study in studies)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []
    assert not list((tmp_path / "node" / "jobs").iterdir())


@pytest.mark.usefixtures("no_pause")
def test_features_of_a_frozen_trunk_are_computed_on_the_node_and_come_home(transport, tmp_path):
    study = write_study(tmp_path, protocol=FROZEN, study=FINISHED)
    result = carry_out(study, jobs=STAND_INS, executor=executor_over(transport))
    assert not result.left
    stores = next((tmp_path / "studies" / "small" / "cache" / "stores" / "pictures").iterdir())
    assert len(list(stores.glob("*-*.npy"))) == 2 and not list(stores.glob("*.parts"))
    shutil.rmtree(tmp_path / "node")
