"""YAML is read as YAML 1.2 says, with lines, and nothing that it holds can break the reader."""

import contextlib
import json

import pytest
from homes import inspected, refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realitycheck.errors import InputError
from realitycheck.protocol.document import Lines, read_document
from realitycheck.protocol.read import read_protocol, read_spaces, read_study
from realitycheck.protocol.yaml_lines import Reader, Unreadable


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E+3", 1000.0),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("-0", 0),
        ("010", 10),
        ("9223372036854775807", 2**63 - 1),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("10:30", "10:30"),
        ("2020-03-18", "2020-03-18"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("=", "="),
        ("e5", "e5"),
        (".", "."),
    ],
)
def test_scalars_mean_what_the_core_schema_says(text, value):
    reader = Reader()
    read = reader.read(f"key: {text}")["key"]
    assert (read, type(read)) == (value, type(value))
    assert not reader.problems


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "9223372036854775808", "9" * 5000])
def test_numbers_that_do_not_fit_are_refused(text):
    reader = Reader()
    reader.read(f"a: 1\nkey: {text}")
    (problem,) = reader.problems
    assert (problem.line, problem.where, problem.code) == (2, "key", "number-too-large")
    assert reader.spoiled == {("key",)}


def test_half_of_a_surrogate_pair_is_refused():
    reader = Reader()
    reader.read('key: "\\ud800"')
    assert [(problem.where, problem.code) for problem in reader.problems] == [("key", "text-invalid")]


def test_every_value_knows_its_line():
    reader = Reader()
    reader.read("a:\n  b: 1\n  c:\n    - x\n    -\n      d: 2\n")
    assert reader.lines == {
        (): 1,
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "c"): 3,
        ("a", "c", 0): 4,
        ("a", "c", 1): 6,
        ("a", "c", 1, "d"): 6,
    }


def test_a_value_that_is_not_there_stands_at_the_line_of_its_parent():
    lines = Lines({(): 1, ("a",): 4})
    assert (lines.of(("a", "b", 0)), lines.of(("z",)), Lines({}).of(("a",))) == (4, 1, 0)


def test_of_a_key_that_stands_twice_the_first_is_kept():
    reader = Reader()
    assert reader.read("a: 1\nb: 2\na: {c: 3}") == {"a": 1, "b": 2}
    (problem,) = reader.problems
    assert (problem.line, problem.where) == (3, "a")


def test_an_alias_bomb_stays_small():
    rungs = "\n".join(f"k{i}: &k{i} [{', '.join([f'*k{i - 1}'] * 9)}]" for i in range(1, 9))
    reader = Reader()
    data = reader.read(f"k0: &k0 [x]\n{rungs}")
    assert data["k8"] == [None] * 9
    assert len(reader.problems) == 9 + 8 * 9


TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xD7FF, exclude_characters="\x7f\x85"), max_size=20)
TEXT = TEXT.filter(lambda text: text.isprintable())
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT.filter(bool), inner, max_size=4),
    max_leaves=15,
)


@given(PLAIN)
def test_json_is_read_as_json(value):
    """YAML 1.2 was made so that JSON is YAML; the standard library's writer is the second opinion."""
    reader = Reader()
    assert reader.read(json.dumps(value, ensure_ascii=False)) == value
    assert not reader.problems


def refuses_quietly(path, raw: bytes) -> None:
    """Whatever the bytes are, reading them returns or raises InputError, whose message can be printed."""
    path.write_bytes(raw)
    for read in (inspected, read_study, read_protocol, read_spaces):
        try:
            read(path)
        except InputError as error:
            assert error.problems
            str(error).encode()


FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@FUZZ
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(home, raw):
    refuses_quietly(home.study, raw)


@FUZZ
@given(st.text("abn:-?[]{},&*!|>'\"%@`#.\\ \t\n\r1e<~\x00\ud7ff\ufeffUxu", max_size=80))
def test_no_text_of_yaml_signs_breaks_the_reader(home, text):
    with contextlib.suppress(Unreadable):
        Reader().read(text)
    refuses_quietly(home.study, text.encode())


@FUZZ
@given(st.data())
def test_no_change_of_a_good_file_breaks_the_reader(home, data):
    path = data.draw(st.sampled_from([home.study, home.protocol, home.spaces]))
    good = path.read_text()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 10)))
    piece = data.draw(
        st.sampled_from(["", "\n", ": ", "[", "{}", "null", "1e400", "- ", "'", "true", "*a", "3"]) | TEXT
    )
    path.write_text(good[:start] + piece + good[end:])
    try:
        assert all(problem.code for problem in refused(inspected, home.study))
    finally:
        path.write_text(good)


TOP = (
    "study",
    "question",
    "protocol",
    "datasets",
    "losses",
    "baseline",
    "primary",
    "smallest_difference",
    "seed",
)


@FUZZ
@given(
    st.dictionaries(st.sampled_from(TOP), PLAIN),
    st.dictionaries(st.sampled_from(["loss", "space", "root"]), PLAIN),
)
def test_no_value_in_a_wrong_place_breaks_the_reader(home, value, options):
    value |= {"losses": {"contrastive": options}, "datasets": {"folder": options}, "search": options}
    refuses_quietly(home.study, json.dumps(value, ensure_ascii=False).encode())


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError) as caught:
        read_document(tmp_path, source="here")
    assert [problem.code for problem in caught.value.problems] == ["file-unreadable"]
