"""When a phase ends, by hand."""

from __future__ import annotations

from realitycheck.training.phases import Plateau


def play(values, *, cap=100, every=10, patience=2, best=float("-inf")):
    plateau = Plateau.begin({"cap": cap, "evaluate_every": every, "patience": patience}, best=best)
    news = []
    for value in values:
        if plateau.stop:
            break
        news.append(plateau.update(plateau.next_evaluation, value))
    return plateau, news


def test_patience_counts_evaluations_without_a_new_best():
    plateau, news = play([0.1, 0.3, 0.2, 0.25, 0.9])
    assert news == [True, True, False, False]
    assert (plateau.stop, plateau.iterations, plateau.best_iteration, plateau.best) == ("patience", 40, 20, 0.3)


def test_an_equal_value_is_no_new_best():
    plateau, news = play([0.3, 0.3, 0.3])
    assert news == [True, False, False]
    assert plateau.best_iteration == 10


def test_the_cap_ends_a_phase_and_its_last_evaluation_is_there():
    plateau, _ = play([0.1, 0.2, 0.3, 0.4], cap=25)
    assert (plateau.stop, plateau.iterations, plateau.best_iteration) == ("cap", 25, 25)


def test_a_later_phase_must_beat_the_earlier_one():
    plateau, news = play([0.4, 0.5], best=0.5)
    assert news == [False, False]
    assert (plateau.stop, plateau.best_iteration) == ("patience", 0)
