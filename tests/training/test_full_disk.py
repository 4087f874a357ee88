"""Weights and features that do not fit on a disk: a sentence with their path, no attempt, and the study goes on."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from checkpointed_runs import prepared
from small_study import FINISHED, FINISHED_PROTOCOL, FROZEN, write_study

from realitycheck import verbs
from realitycheck.errors import StorageError
from realitycheck.protocol.read import read_study
from realitycheck.records.ledger import Ledger
from realitycheck.stores.cache import publish_json, weights_path
from realitycheck.stores.feature_parts import features_path, join_parts, part_path, write_part
from realitycheck.stores.open import open_store
from realitycheck.training import checkpoint
from realitycheck.training.assemble import model_of
from realitycheck.training.checkpoint import load_weights, save_weights, weights_digest

ROOT = Path(__file__).parents[2]


@contextmanager
def largest_file(size: int):
    """Refuse longer files, as the system itself does; Python ignores the signal."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_weights_that_cannot_be_written_are_a_sentence_and_leave_nothing(tmp_path):
    home = prepared(tmp_path, {"contrastive": "{}"})
    spec = home.fold_run("contrastive")
    model, path = model_of(spec, open_store(Path(home.trainval)), weights=None), weights_path(tmp_path, spec.id)
    with largest_file(1000), pytest.raises(StorageError) as caught:
        save_weights(tmp_path, spec, model)
    assert str(caught.value).startswith(f"{path}: File too large.")
    assert list(path.parent.iterdir()) == []
    save_weights(tmp_path, spec, model)
    load_weights(tmp_path, spec.id, digest=weights_digest(model.state_dict()))


def mounted(folder: Path, size: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def fill(folder: Path, *, free: int) -> None:
    """Make a mounted file system smaller, until it has this many bytes left."""
    state = os.statvfs(folder)
    size = (state.f_blocks - state.f_bfree) * state.f_frsize + free
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


def worked(study: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "realitycheck", "work", str(study), "--device", "cpu"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_weights_that_cannot_be_read_are_a_sentence_and_stay_where_they_are(tmp_path, monkeypatch):
    def refused(path, *, framework):
        raise OSError("Input/output error (os error 5)")  # as safetensors does, without a number

    path = weights_path(tmp_path, "a" * 64)
    path.parent.mkdir()
    path.write_bytes(b"weights")
    monkeypatch.setattr(checkpoint, "safe_open", refused)
    with pytest.raises(StorageError) as caught:
        load_weights(tmp_path, "a" * 64, digest="b" * 64)
    assert str(caught.value) == f"{path}: Input/output error. Check the disk."
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_features_that_do_not_fit_are_a_sentence_and_come_whole_later(tmp_path):
    """A memory map would end the process by a signal where a page has no room."""
    study = read_study(write_study(tmp_path, protocol=FROZEN)).study
    recipe, folder = study.protocol_on("pictures").recipe, tmp_path / "disk"
    folder.mkdir()
    if not mounted(folder, "50m"):
        pytest.skip("this user may not mount a small file system")
    try:
        features, pixels = np.random.default_rng(0).random((300, 2, 32)).astype(np.float32), folder / "test"
        publish_json(pixels.with_suffix(".json"), {"labels": [0] * 300, "digest": "d", "classes": ["a"]})
        path = features_path(pixels, recipe)
        write_part(part_path(path, 0), features)
        fill(folder, free=16384)
        with pytest.raises(StorageError, match="No space left on device"):
            join_parts(pixels, recipe)
        fill(folder, free=1 << 20)
        assert join_parts(pixels, recipe) == path
        expected = io.BytesIO()
        np.save(expected, features)
        assert path.with_suffix(".npy").read_bytes() == expected.getvalue()
    finally:
        subprocess.run(["umount", str(folder)], check=False)


def test_a_study_goes_on_when_the_disk_has_space_again(tmp_path, finished):
    study = write_study(tmp_path, protocol=FINISHED_PROTOCOL, study=FINISHED)
    cache = study.parent / "small" / "cache"
    cache.mkdir(parents=True)
    if not mounted(cache, "50m"):
        pytest.skip("this user may not mount a small file system")
    try:
        verbs.prepare_data(verbs.load_study(study))
        fill(cache, free=8192)
        stopped = worked(study)
        assert stopped.returncode == 1, stopped.stderr
        assert "No space left on device. Free some space." in stopped.stderr
        assert str(cache / "weights") in stopped.stderr and "Traceback" not in stopped.stderr
        assert not [note for note in Ledger(study.parent / "small").notes() if note["kind"] in ("failed", "given-up")]
        subprocess.run(["mount", "-o", "remount,size=50m", str(cache)], check=True)
        assert worked(study).returncode == 0
    finally:
        subprocess.run(["umount", str(cache)], check=False)
    assert Ledger(study.parent / "small").records == Ledger(finished.parent / "small").records
