"""The runners-up of a search, by hand."""

from realitycheck.statistics.near_best import distance, near_best


def at(*places):
    return [{"rate": place} for place in places]


def test_trials_are_taken_by_value_where_they_are_apart():
    values, places = [0.50, 0.49, 0.51, 0.48], at(0.2, 0.25, 0.22, 0.9)
    assert near_best(values, places, noise=0.1) == (2, 3)


def test_the_window_ends_the_list():
    # 1.96 · √2 · 0.01 = 0.0277: 0.4725 is inside, 0.470 is not, and nothing after it is taken.
    values, places = [0.50, 0.473, 0.4725, 0.470], at(0.0, 0.5, 0.7, 1.0)
    assert near_best(values, places, noise=0.01) == (0, 1, 2)


def test_at_most_five_and_ties_by_number():
    assert near_best([0.5] * 8, at(*[number / 7 for number in range(8)]), noise=0.0) == (0, 1, 2, 3, 4)


def test_diverged_trials_and_an_empty_search():
    assert near_best([None, 0.3, None], at(0.0, 0.5, 1.0), noise=1.0) == (1,)
    assert near_best([None], at(0.0), noise=1.0) == ()


def test_another_category_is_as_far_as_the_ends_of_a_range():
    assert distance({"kind": "a", "rate": 0.1}, {"kind": "b", "rate": 0.1}) == 1.0
    assert distance({"kind": "a", "rate": 0.1}, {"kind": "a", "rate": 0.15}) < 0.1
    assert distance({}, {}) == 0.0
