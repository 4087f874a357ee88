"""Which images are shown: the draw by hand from the definition of seeds."""

import hashlib
import json

from realitycheck.plan.shown_queries import draw_queries

SIZES = [(name, count) for name, count in zip("abcdefghijkl", (3, 1, 4, 2, 5, 2, 6, 3, 3, 1, 2, 7), strict=True)]


def seed(*names):
    text = json.dumps(names, separators=(",", ":"))
    return int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) >> 1


def test_eight_classes_with_the_lowest_seeds_give_one_image_each():
    fitting = sorted((seed(5, "birds", "queries", name), place) for place, (name, n) in enumerate(SIZES) if n > 1)
    classes = sorted(place for _, place in fitting[:8])
    wanted = [(place, seed(5, "birds", "queries", SIZES[place][0], "image") % SIZES[place][1]) for place in classes]
    assert list(draw_queries(5, "birds", SIZES)) == wanted


def test_root_seed_and_dataset_change_the_draw():
    draws = {draw_queries(root, name, SIZES) for root in (0, 1) for name in ("birds", "cars")}
    assert len(draws) == 4


def test_few_classes_give_few_queries():
    assert [number for number, _ in draw_queries(0, "birds", [("a", 2), ("b", 1), ("c", 3)])] == [0, 2]
    assert draw_queries(0, "birds", [("a", 1)]) == ()
