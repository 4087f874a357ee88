"""A study whose trainings share processes has the ledger of one with a process for each; plug-ins share none."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_study import FROZEN, PROTOCOL, STUDY, write_study

from realitycheck import verbs
from realitycheck.executors import children
from realitycheck.executors.local import LocalExecutor
from realitycheck.losses.members.contrastive import Contrastive
from realitycheck.protocol.read import read_study
from realitycheck.records.ledger import Ledger
from realitycheck.verbs.executing import VERBS, preload


class Plugged(Contrastive):
    """A loss that a study names by address."""


def carry_out(home: Path, *, protocol: str, study: str = STUDY) -> tuple[bytes, set[str]]:
    """Do a study; its packed ledger, and the losses of the runs after which a process did another job."""
    read = read_study(write_study(home, protocol=protocol, study=study))
    executor = LocalExecutor(devices=(None,) * 2, deadline=120.0, memory=None, preload=preload(), pins={})
    before, after = children.Child.give, set()

    def give(child, job, address, order, *, show):
        after.add(child.job.group)
        return before(child, job, address, order, show=show)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(children.Child, "give", give)
        verbs.carry_out(read, executor=executor, device="cpu", reuse=(), watch=lambda *_: None, verbs=VERBS)
    folder = read.path.parent / "small"
    return Ledger(folder).pack(read.texts()).read_bytes(), after


@pytest.mark.parametrize("protocol", [PROTOCOL, FROZEN], ids=["fine-tuned", "frozen"])
def test_the_ledgers_are_equal(tmp_path, monkeypatch, protocol):
    reused, after = carry_out(tmp_path / "reused", protocol=protocol)
    assert {f"pictures/{loss}" for loss in ("contrastive", "triplet", "normalized_softmax")} <= after
    monkeypatch.setattr(children, "JOBS", 1)
    apart, after = carry_out(tmp_path / "apart", protocol=protocol)
    assert not after
    assert reused == apart


def test_no_process_does_a_job_after_code_of_a_plug_in(tmp_path):
    space = "{pos_margin: 0.0, neg_margin: {uniform: [0.0, 2.0]}}"
    plugged = f'plugged: {{loss: "{__name__}:Plugged", distance: euclidean, family: pairs, space: {space}}}'
    study = STUDY.replace("triplet: {}", plugged)
    _, after = carry_out(tmp_path, protocol=PROTOCOL, study=study)
    assert "pictures/contrastive" in after and "pictures/plugged" not in after
