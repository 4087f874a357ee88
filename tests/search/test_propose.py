from __future__ import annotations

import pytest

from realitycheck.executors.base import unheard
from realitycheck.search.propose import propose

SPACE = {
    "margin": {"uniform": [0.0, 2.0]},
    "lr": {"log_uniform": [1e-4, 1.0]},
    "bins": {"int_uniform": [2, 32]},
    "rule": {"choice": ["all", "hard"]},
    "scale": 3.0,
}


def payload(slot: int, history=(), pending=(), **changes):
    asked = {
        "id": f"id{slot}",
        "search": "s",
        "data": "d",
        "dataset": "x",
        "loss": "l",
        "slot": slot,
        "root": 1,
        "space": SPACE,
        "sampler": "gp",
        "startup_trials": 3,
        "startup": "random",
        "history": list(history),
        "pending": list(pending),
        "published": {},
    }
    return asked | changes


def value(knobs):
    """A smooth hill with its top at margin 0.5, lr 0.01."""
    import math

    return 1 - (knobs["margin"] - 0.5) ** 2 - 0.05 * (math.log10(knobs["lr"]) + 2) ** 2


def search(trials: int, **changes):
    history = []
    for slot in range(trials):
        knobs = propose(payload(slot, history, **changes), tell=unheard)["knobs"]
        history.append({"knobs": knobs, "value": value(knobs)})
    return history


def test_a_proposal_is_a_pure_function_of_the_records_before_it():
    history = search(6)
    assert propose(payload(6, history), tell=unheard) == propose(payload(6, history), tell=unheard)
    for slot in range(6):
        assert propose(payload(slot, history[:slot]), tell=unheard)["knobs"] == history[slot]["knobs"]


def test_bounds_kinds_and_fixed_values():
    for trial in search(6):
        knobs = trial["knobs"]
        assert 0 <= knobs["margin"] <= 2
        assert 1e-4 <= knobs["lr"] <= 1
        assert knobs["bins"] in range(2, 33)
        assert isinstance(knobs["bins"], int)
        assert knobs["rule"] in ("all", "hard")
        assert knobs["scale"] == 3.0


def test_startup_is_random_then_the_sampler_takes_over():
    assert propose(payload(2, search(2)), tell=unheard)["source"] == "startup"
    assert propose(payload(3, search(3)), tell=unheard)["source"] == "gp"


def test_the_model_beats_chance_on_a_smooth_hill():
    best = {sampler: max(trial["value"] for trial in search(12, sampler=sampler)) for sampler in ("gp", "random")}
    assert best["gp"] > best["random"]
    assert best["gp"] > 0.98


def test_a_diverged_trial_pushes_away_and_never_counts_as_the_best():
    history = search(4)
    bad = [*history[:-1], {"knobs": history[-1]["knobs"], "value": None}]
    assert propose(payload(4, bad), tell=unheard)["knobs"] != propose(payload(4, history), tell=unheard)["knobs"]
    worst = min(trial["value"] for trial in history[:-1])
    told = [*history[:-1], {"knobs": history[-1]["knobs"], "value": worst}]
    assert propose(payload(4, bad), tell=unheard)["knobs"] == propose(payload(4, told), tell=unheard)["knobs"]


def test_every_trial_diverged_is_no_crash():
    history = [{"knobs": trial["knobs"], "value": None} for trial in search(4)]
    assert set(propose(payload(4, history), tell=unheard)["knobs"]) == set(SPACE)


def test_proposals_of_one_round_differ_though_none_knows_the_others_value():
    history = search(4)
    first = propose(payload(4, history), tell=unheard)["knobs"]
    second = propose(payload(5, history, [first]), tell=unheard)["knobs"]
    assert first != second


@pytest.mark.parametrize("changed", [{"search": "other"}, {"root": 2}, {"slot": 1}])
def test_the_seed_depends_on_search_root_and_slot(changed):
    assert propose(payload(0) | changed, tell=unheard)["knobs"] != propose(payload(0), tell=unheard)["knobs"]


def test_nothing_to_search_gives_the_fixed_values():
    assert propose(payload(0, space={"scale": 2.0}), tell=unheard)["knobs"] == {"scale": 2.0}
