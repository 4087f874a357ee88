"""Problems are listed by line and number."""

from __future__ import annotations

import pickle

from realitycheck.errors import InputError, Problem


def test_lines_of_another_file_come_by_number():
    """As text, line 10 would come before line 3."""
    says = [f"quick.yaml line {line}  seed: wrong" for line in (10, 15, 3)]
    error = InputError("x.yaml", [Problem(7, "protocol", text, "line-count") for text in says])
    assert [problem.says for problem in error.problems] == [says[2], says[0], says[1]]


def test_the_own_line_comes_first_then_the_place():
    problems = [
        Problem(4, "phases.10.cap", "a", "key-unknown"),
        Problem(4, "phases.2.cap", "b", "key-unknown"),
        Problem(3, "z", "c", "key-unknown"),
    ]
    assert [problem.says for problem in InputError("x.yaml", problems).problems] == ["c", "b", "a"]


def test_numbers_of_any_length_are_ordered():
    """Python refuses to read a number of more than 4,300 digits."""
    long = [Problem(1, "seed", f"got {digit * 5000}", "value-range") for digit in "21"]
    assert InputError("x.yaml", long).problems == (long[1], long[0])


def test_an_input_error_survives_a_process_boundary():
    error = InputError("x.yaml", [Problem(2, "seed", "must be a number, not text.", "type-wrong")])
    again = pickle.loads(pickle.dumps(error))
    assert (again.source, again.problems, str(again)) == (error.source, error.problems, str(error))
