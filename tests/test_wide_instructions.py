"""The records of a pinned study do not depend on AVX-512, offered or hidden; `doctor`'s canary compares machines.

Here a loss of each family; tests/extended has every loss.
"""

from __future__ import annotations

import shutil

import pytest
from small_study import STUDY, write_study
from test_every_loss import NAMES, SPACES, tiny_protocol

from realitycheck import verbs
from realitycheck.arithmetic import cpu_flags, obstacle
from realitycheck.executors.fork_server import end_server
from realitycheck.records.ledger import Ledger

HIDDEN = ",".join(f"-AVX512{part}" for part in ("F", "VL", "BW", "DQ", "CD", "_VNNI", "_VBMI", "_VBMI2", "_IFMA"))
"""For the C library, which no variable of the class reaches."""

FEW = ("contrastive", "normalized_softmax", "proxy_anchor", "smooth_ap")

MARKS = [
    pytest.mark.skipif(bool(obstacle("x86-avx2")), reason=f"x86-avx2: {obstacle('x86-avx2')}"),
    pytest.mark.skipif("avx512f" not in cpu_flags(), reason="this CPU has no AVX-512 to hide"),
]
pytestmark = MARKS


def ledger_of(home, labels):
    """The digest of the ledger of a study of these losses, trained and scored in pinned children."""
    losses = "".join(f'  {label}: {{loss: "{NAMES[label]}"}}\n' for label in labels)
    study = STUDY.replace("losses: {contrastive: {}, triplet: {}, normalized_softmax: {}}\n", f"losses:\n{losses}")
    study = study.replace(
        "{pictures: {dataset: folder, root: ../pictures}}", '{few: {dataset: "test_every_loss:FirstSketches"}}'
    )
    protocol = tiny_protocol().replace("arithmetic: cpu-fp32", "arithmetic: x86-avx2")
    path = write_study(home, protocol=protocol, study=study)
    shutil.copy(SPACES, home / "protocols" / "spaces" / "v2.yaml")
    end_server()  # the next one reads the environment anew
    result = verbs.run_study(verbs.load_study(path), device="cpu")
    assert not result.left and not result.alarms
    return Ledger(path.parent / "small").digest


def same_bytes(folder, monkeypatch, labels):
    """Whether a study of these losses has the same ledger with AVX-512 offered and hidden."""
    offered = ledger_of(folder / "offered", labels)
    monkeypatch.setenv("GLIBC_TUNABLES", f"glibc.cpu.hwcaps={HIDDEN}")
    try:
        return ledger_of(folder / "hidden", labels) == offered
    finally:
        end_server()


def test_the_same_bytes_with_avx512_offered_and_hidden(tmp_path, monkeypatch):
    assert same_bytes(tmp_path, monkeypatch, FEW)
