"""Every loss of the menu in one study of two phases, the smallest that there is, from its file to its report."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from small_study import PROTOCOL, STUDY, write_study

from realitycheck import verbs
from realitycheck.datasets.members.sketches import Sketches
from realitycheck.executors.inline import InlineExecutor
from realitycheck.losses.menu import MENU
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal, Run, of_type
from realitycheck.verbs.executing import VERBS

SPACES = Path(__file__).parents[1] / "protocols" / "spaces" / "v2.yaml"
WRAPPED = {"pairs": "contrastive", "proxies": "proxy_anchor"}
NAMES = {name: f"{name}({WRAPPED[entry.wraps]})" if entry.wraps else name for name, entry in MENU.items()}


class FirstSketches(Sketches):
    """The first 24 classes of the embedded sketches, ten of each."""

    classes = property(lambda self: super().classes[:24])
    labels = property(lambda self: np.repeat(np.arange(24), 10))
    fingerprint = property(lambda self: f"{super().fingerprint}, 24 x 10")

    def images(self, indices, *, size):
        return super().images([100 * (each // 10) + each % 10 for each in indices], size=size)


def tiny_protocol() -> str:
    changes = {
        "phases: [{name: normal, cap: 30, evaluate_every: 10, patience: 2}]": "phases: [{name: normal, cap: 2, "
        "evaluate_every: 1, patience: 1}, {name: followup, cap: 1, evaluate_every: 1, patience: 1}]",
        "trials: 3, startup_trials: 2, round: 1, space: v1, shared: {}": "trials: 1, startup_trials: 1, round: 1, "
        "space: v2, first: published, shared: {followup_trunk_lr_scale: 0.1, followup_embedder_lr_scale: 0.1}",
        "collapse: 1e-4": "collapse: 0.0",
        "proxies: {classes: 4, per_class: 2}": "proxies: {classes: 6, per_class: 1}",
    }
    protocol = PROTOCOL
    for old, new in changes.items():
        assert old in protocol
        protocol = protocol.replace(old, new)
    return protocol


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    home = tmp_path_factory.mktemp("every")
    losses = "".join(f'  {label}: {{loss: "{name}"}}\n' for label, name in NAMES.items())
    study = STUDY.replace("losses: {contrastive: {}, triplet: {}, normalized_softmax: {}}\n", f"losses:\n{losses}")
    study = study.replace(
        "{pictures: {dataset: folder, root: ../pictures}}", f'{{few: {{dataset: "{__name__}:FirstSketches"}}}}'
    )
    path = write_study(home, protocol=tiny_protocol(), study=study)
    shutil.copy(SPACES, home / "protocols" / "spaces" / "v2.yaml")
    read = verbs.load_study(path)
    verbs.carry_out(
        read, executor=InlineExecutor(device=None), device="cpu", reuse=(), watch=lambda *_: None, verbs=VERBS
    )
    return read


def test_every_loss_comes_through(done):
    records = Ledger(done.path.parent / "small").records.values()
    runs = [run for run in of_type(records, Run) if run.spec.loss]
    assert {run.spec.loss["label"] for run in runs} == set(MENU)
    assert {run.spec.loss["label"]: run.cause for run in runs if run.cause} == {}
    assert len(runs) == len(MENU) * (2 + 2 * 3)


def test_every_search_began_with_the_published_setting(done):
    proposals = of_type(Ledger(done.path.parent / "small").records.values(), Proposal)
    assert {proposal.source for proposal in proposals} == {"published"}
    assert len(proposals) == len(MENU)


def test_the_report_is_written_and_marks_reconstructions(done):
    page = next(path for path in verbs.report_study(done) if path.name == "index.html").read_text()
    assert all(label in page for label in NAMES)
    assert "reconstruction" in page
