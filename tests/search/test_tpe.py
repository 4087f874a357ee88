"""The sampler `tpe`: it finds a hill, and keeps the proposals of a round apart."""

from __future__ import annotations

import math

from realitycheck.executors.base import unheard
from realitycheck.search.propose import propose

SPACE = {"a": {"uniform": [-1.0, 1.0]}, "b": {"log_uniform": [1e-4, 1.0]}}


def knobs(slot: int, history, *, sampler: str = "tpe", search: str = "s", pending=()):
    names = {"id": "i", "search": search, "data": "d", "dataset": "x", "loss": "l", "slot": slot, "root": 1}
    rule = {"space": SPACE, "sampler": sampler, "startup_trials": 5, "startup": "random", "published": {}}
    return propose({**names, **rule, "history": list(history), "pending": list(pending)}, tell=unheard)["knobs"]


def distance(found) -> float:
    """Distance from the optimum a = 0.4, b = 0.01; the space has the width 2 in both directions."""
    return math.hypot(found["a"] - 0.4, (math.log10(found["b"]) + 2) / 2)


def searched(trials: int, *, sampler: str, search: str):
    history = []
    for slot in range(trials):
        found = knobs(slot, history, sampler=sampler, search=search)
        history.append({"knobs": found, "value": -(distance(found) ** 2)})
    return history


def test_it_concentrates_near_the_optimum_of_a_quadratic():
    """Mean distance of the second half of sixty proposals, over two searches, against random draws."""

    def far(sampler: str) -> float:
        late = [each for n in range(2) for each in searched(60, sampler=sampler, search=f"{n}")[30:]]
        return sum(distance(each["knobs"]) for each in late) / len(late)

    assert far("tpe") < 0.6 * far("random")


def test_a_pending_trial_counts_as_a_poor_one():
    """Proposals of one round are further apart than proposals that do not see each other, over four searches."""

    def place(found) -> tuple[float, float]:
        return found["a"], math.log10(found["b"]) / 2

    def spread(found) -> float:
        pairs = [(one, other) for one in found for other in found]
        return sum(math.dist(place(one), place(other)) for one, other in pairs) / len(pairs)

    apart = alone = 0.0
    for search in ("0", "1", "2", "3"):
        history, seen, unseen = searched(20, sampler="tpe", search=search), [], []
        for slot in range(20, 28):
            seen.append(knobs(slot, history, search=search, pending=seen))
            unseen.append(knobs(slot, history, search=search))
        apart, alone = apart + spread(seen), alone + spread(unseen)
    assert apart > 1.2 * alone
