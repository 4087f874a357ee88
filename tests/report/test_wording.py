import pytest

from realitycheck.report import wording as words


@pytest.mark.parametrize(
    ("value", "text"), [(0.0125, "+1.25"), (-0.0125, "−1.25"), (0.00004, "0.00"), (-0.00004, "0.00")]
)
def test_signed(value, text):
    assert words.signed(value) == text


def test_numbers():
    assert words.points(0.23634) == "23.63"
    assert words.percent(0.95) == "95 %"
    assert words.percent(2 * 0.95 - 1) == "90 %"
    assert words.share(1 - 0.95) == "0.05"
    assert (words.p_value(0.0004), words.p_value(0.0312)) == ("< 0.001", "0.031")
    assert (words.number(0.000123456), words.number(7), words.number("soft")) == ("0.0001235", "7", "soft")
    assert (words.number(-0.25), words.number(-3), words.number("-x"), words.number(-1e-5)) == (
        "−0.25",
        "−3",
        "-x",
        "−1e-05",
    )


def test_language():
    assert words.enumeration(["a"]) == "a"
    assert words.enumeration(["a", "b", "c"]) == "a, b and c"
    assert words.enumeration([]) == ""
    assert (words.count(1, "trial"), words.count(0, "trial")) == ("1 trial", "0 trials")
    assert words.count(2, "class", "classes") == "2 classes"
    assert (words.spelled(5), words.spelled(12), words.spelled(13)) == ("Five", "Twelve", "13")


def test_counts():
    assert words.thousands(17200) == "17,200"
    assert words.stretch([]) == "–"
    assert words.stretch([500, 500]) == "500"
    assert words.stretch([1480, 520, 900]) == "520 to 1,480"


def test_missing_numbers_are_dashes():
    assert words.optional_points(None) == words.optional_signed(None) == words.optional_span(None) == "–"
    assert (words.optional_points(0.5), words.optional_signed(-0.5)) == ("50.00", "−50.00")


def test_names():
    assert words.ordered_metrics(["nmi", "recall_at_10", "recall_at_2"]) == [
        *("map_at_r", "r_precision", "precision_at_1", "recall_at_2", "recall_at_10", "nmi"),
    ]
    assert words.safe_name("../A b") == "-a-b"
    assert words.marked("a", ()) == "a"
    assert words.marked("a", ("x", "y")) == "a (x, y)"
    assert words.searched_by("a", 1, searches=3) == "a, search 2"
    assert words.searched_by("a", 0, searches=1) == "a"
    assert words.searched_by_several("a", [0, 2, 3], searches=4) == "a, searches 1, 3 and 4"
    assert words.searched_by_several("a", [2], searches=4) == "a, search 3"
    assert words.searched_by_several("a", [], searches=4) == words.searched_by_several("a", [0], searches=1) == "a"
