"""What holds for every sampler of the menu, and for the proposals of the committed ledgers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import standins
from small_study import PROTOCOL, write_study

import realitycheck
from realitycheck import verbs
from realitycheck.executors.base import unheard
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import read_study
from realitycheck.records.from_json import read_record
from realitycheck.records.gather import gather
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.records.schema import Proposal, of_type
from realitycheck.search.propose import propose
from realitycheck.search.samplers.menu import MENU
from realitycheck.search.schedule import todo

ROOT = Path(realitycheck.__file__).parents[1]

# What the extra `botorch` installs compiles functions when it is imported, and names equal values of diverged trials.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore:.torch\.jit\.script. is deprecated:FutureWarning"),
    pytest.mark.filterwarnings(r"ignore:Data \(outcome observations\) is not standardized"),
]

INSTALLED = [
    pytest.param(
        name, marks=pytest.mark.skipif(not all(map(find_spec, entry.imports)), reason=f"extra {entry.extra} is absent")
    )
    for name, entry in MENU.items()
]
"""Samplers whose packages are installed; the others are skipped."""

SPACE = {
    "margin": {"uniform": [-1.0, 2.0]},
    "lr": {"log_uniform": [1e-4, 1.0]},
    "bins": {"int_uniform": [2, 5]},
    "width": {"log_int_uniform": [1, 100]},
    "rule": {"choice": ["all", "hard", 3]},
    "scale": 3.0,
}


def payload(sampler: str, slot: int, history=(), pending=(), **changes):
    asked = {"id": f"id{slot}", "search": "s", "data": "d", "dataset": "x", "loss": "l", "slot": slot, "root": 1}
    first = {"startup_trials": 2 if MENU[sampler].learns else 0, "startup": "random", "published": {}}
    return (
        asked
        | {"space": SPACE, "sampler": sampler}
        | first
        | {"history": list(history), "pending": list(pending)}
        | changes
    )


def value(knobs) -> float:
    return -((knobs["margin"] - 0.5) ** 2)


def search(sampler: str, trials: int, **changes):
    history = []
    for slot in range(trials):
        knobs = propose(payload(sampler, slot, history, **changes), tell=unheard)["knobs"]
        history.append({"knobs": knobs, "value": value(knobs)})
    return history


@pytest.mark.parametrize("sampler", INSTALLED)
def test_a_resumed_search_equals_an_unbroken_one(sampler):
    unbroken = search(sampler, 5)
    for slot in range(5):
        resumed = propose(payload(sampler, slot, json.loads(json.dumps(unbroken[:slot]))), tell=unheard)
        assert resumed["knobs"] == unbroken[slot]["knobs"]


@pytest.mark.parametrize("sampler", INSTALLED)
def test_proposals_are_inside_their_ranges(sampler):
    for trial in search(sampler, 8):
        knobs = trial["knobs"]
        assert -1 <= knobs["margin"] <= 2 and isinstance(knobs["margin"], float)
        assert 1e-4 <= knobs["lr"] <= 1 and isinstance(knobs["lr"], float)
        assert knobs["bins"] in range(2, 6) and isinstance(knobs["bins"], int)
        assert knobs["width"] in range(1, 101) and isinstance(knobs["width"], int)
        assert knobs["rule"] in ("all", "hard", 3)
        assert knobs["scale"] == 3.0
        assert json.loads(json.dumps(knobs)) == knobs


@pytest.mark.parametrize("sampler", [name for name, entry in MENU.items() if not entry.learns])
def test_a_log_range_is_searched_on_its_scale(sampler):
    """Half of a log range from 1e-4 to 1 is below 1e-2. Of sixteen fair draws three or fewer are so in 1.1 %."""
    low = sum(propose(payload(sampler, slot), tell=unheard)["knobs"]["lr"] < 1e-2 for slot in range(16))
    assert 4 <= low <= 12


@pytest.mark.parametrize("sampler", INSTALLED)
@pytest.mark.parametrize("changed", [{"search": "other"}, {"root": 2}, {"slot": 4}])
def test_a_proposal_depends_on_search_root_and_slot(sampler, changed):
    history = search(sampler, 3)
    assert (
        propose(payload(sampler, 3, history) | changed, tell=unheard)["knobs"]
        != propose(payload(sampler, 3, history), tell=unheard)["knobs"]
    )


@pytest.mark.parametrize("sampler", INSTALLED)
def test_proposals_of_a_round_differ(sampler):
    history = search(sampler, 3)
    first = propose(payload(sampler, 3, history), tell=unheard)["knobs"]
    assert propose(payload(sampler, 4, history, [first]), tell=unheard)["knobs"] != first


@pytest.mark.parametrize("sampler", INSTALLED)
def test_a_search_of_diverged_trials_goes_on(sampler):
    history = [{"knobs": trial["knobs"], "value": None} for trial in search(sampler, 3)]
    assert set(propose(payload(sampler, 3, history), tell=unheard)["knobs"]) == set(SPACE)


@pytest.mark.parametrize("sampler", INSTALLED)
def test_another_process_proposes_the_same(sampler):
    asked = payload(sampler, 3, search(sampler, 3))
    code = (
        "import json, sys; from realitycheck.search.propose import propose;"
        "print(json.dumps(propose(json.loads(sys.argv[1]), tell=print)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, json.dumps(asked)],
        check=True,
        capture_output=True,
        text=True,
        # With the variables that libraries read, such as OPENBLAS_CORETYPE: other kernels round differently.
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )
    assert json.loads(answer.stdout) == propose(asked, tell=unheard)


@pytest.mark.parametrize("sampler", [name for name, entry in MENU.items() if entry.learns and not entry.extra])
def test_start_up_trials_may_be_points_of_one_sobol_sequence(sampler):
    """By the sampler qmc alone: its points do not depend on the trials before them."""
    history = search(sampler, 4, startup="qmc", startup_trials=4)
    assert [trial["knobs"] for trial in history] == [trial["knobs"] for trial in search("qmc", 4)]
    later = propose(payload(sampler, 4, history, startup="qmc", startup_trials=4), tell=unheard)
    assert (later["source"], later["knobs"]) == (
        sampler,
        propose(payload(sampler, 4, history, startup_trials=4), tell=unheard)["knobs"],
    )


def test_the_kind_of_start_up_trials_is_part_of_the_identity_where_it_is_not_the_usual_one(tmp_path):
    def ids(name, rule):
        read = read_study(write_study(tmp_path / name, protocol=PROTOCOL.replace("startup_trials: 2", rule))).study
        plan = DatasetPlan(study=read, dataset=read.datasets[0].name, data="d" * 64, test="t" * 64)
        return [search.id for search in plan.searches]

    usual = ids("usual", "startup_trials: 2")
    assert ids("random", "startup_trials: 2, startup: random") == usual
    assert not set(ids("qmc", "startup_trials: 2, startup: qmc")) & set(usual)


def test_a_search_loads_only_what_its_sampler_needs():
    code = (
        "import json, sys; import realitycheck.search.samplers.menu; import realitycheck.protocol.model;"
        "assert not {'torch', 'optuna'} & set(sys.modules);"
        "from realitycheck.search.propose import propose; propose(json.loads(sys.argv[1]), tell=print);"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, json.dumps(payload("random", 0))], check=True)


def test_proposals_of_2026_come_out_again():
    """Slots 0, 3, 12 and 24 of two searches of the study `sketches`, with what was then proposed.

    A Gaussian process on another class of arithmetic has room for a rounding error.
    """
    cases = json.loads((Path(__file__).parent / "sketches_proposals.json").read_text(encoding="utf-8"))
    for case in cases:
        made = propose(case["payload"] | {"startup": "random"}, tell=unheard)
        assert made["source"] == case["source"]
        assert made["knobs"] == pytest.approx(case["knobs"], rel=1e-9, abs=0)
        assert made["source"] == "gp" or made["knobs"] == case["knobs"]
    assert {case["source"] for case in cases} == {"startup", "gp"}


def test_a_search_proposes_again_what_its_ledger_holds(finished):
    records = Ledger(finished.with_suffix("")).records
    plan = from_records(verbs.load_study(finished).study, "pictures", records)
    proposals, sources = of_type(records.values(), Proposal), set()
    for slot in (0, 1):
        later = {proposal.id for proposal in proposals if proposal.slot >= slot}
        before = {key: record for key, record in records.items() if key not in later}
        for job in (job for job in todo(plan, before, ()) if job.kind == "proposal"):
            made = propose(job.payload, tell=unheard)
            assert made == records[job.id].to_json()
            sources.add(made["source"])
    assert sources == {"startup", "gp"}


def carried_out(study: Path, cache: Path):
    """The records of a whole study whose trainings and scores are stand-ins, one job at a time."""
    read = read_study(study).study
    plan = DatasetPlan(study=read, dataset=read.datasets[0].name, data="d" * 64, test="t" * 64)
    answer = {"proposal": propose, "run": standins.run, "score": standins.score}
    place, records, weights = {"place": {"cache": str(cache)}}, {}, set()
    while jobs := todo(plan, records, weights):
        job = jobs[0]
        body = job.payload if job.kind == "opening" else answer[job.kind](job.payload | place, tell=unheard)
        records[body["id"]] = read_record(body)
        weights.add(body["id"])
    return plan, records


@pytest.mark.parametrize("sampler", INSTALLED)
def test_a_study_runs_under_every_sampler(tmp_path, sampler):
    learns = MENU[sampler].learns
    rule = f"sampler: {sampler}, trials: 6, startup_trials: {2 if learns else 0}, round: 2"
    text = PROTOCOL.replace("sampler: random, trials: 3, startup_trials: 2, round: 1", rule)
    assert rule in text
    plan, records = carried_out(write_study(tmp_path, protocol=text), tmp_path)
    assert all(search.chosen for loss in gather(plan, records).losses for search in loss.searches)
    proposals = [proposal for proposal in of_type(records.values(), Proposal) if proposal.loss == "triplet"]
    sources = [proposal.source for proposal in sorted(proposals, key=lambda proposal: proposal.slot)]
    assert sources == (["startup"] * 2 if learns else [sampler] * 2) + [sampler] * 4
