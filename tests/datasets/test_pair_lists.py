"""Lists of pairs: what they hold, and damaged or hostile ones by the codes of their problems."""

from __future__ import annotations

import pickle
import subprocess

import pytest

from realitycheck.datasets.reading.pair_lists import places_of_pairs, read_lfw_pairs, read_packed_pairs
from realitycheck.errors import InputError

TWO_SETS = "2\t1\nAnn\t1\t4\nAnn\t2\tBo\t1\nBo\t1\t2\nBo\t2\tCy_D\t10\n"


def problem_codes(read, *args, **kwargs) -> list[tuple[str, int]]:
    with pytest.raises(InputError) as caught:
        read(*args, **kwargs)
    return [(problem.code, problem.line) for problem in caught.value.problems]


def test_a_list_of_lfw(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text(TWO_SETS)
    pairs = read_lfw_pairs(path)
    assert pairs.first == ("Ann/Ann_0001", "Ann/Ann_0002", "Bo/Bo_0001", "Bo/Bo_0002")
    assert pairs.second == ("Ann/Ann_0004", "Bo/Bo_0001", "Bo/Bo_0002", "Cy_D/Cy_D_0010")
    assert (pairs.same, pairs.folds) == ((True, False, True, False), (0, 0, 1, 1))
    names = ["Bo/Bo_0002.jpg", "Ann/Ann_0001.jpg", "Ann/Ann_0004.jpg", "Ann/Ann_0002.jpg", "Bo/Bo_0001.jpg"]
    assert problem_codes(places_of_pairs, pairs, names, source="p") == [("pairs-image-missing", 0)]
    assert places_of_pairs(pairs, [*names, "Cy_D/Cy_D_0010.jpg"], source="p") == ([1, 3, 4, 0], [2, 4, 0, 5])


def test_a_list_of_one_set(tmp_path):
    path = tmp_path / "pairsDevTest.txt"
    path.write_text("1\nAnn\t1\t4\nAnn\t2\tBo\t1\n")
    assert read_lfw_pairs(path).folds == (0, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("pairs-header", 1)]),
        ("ten 300\n", [("pairs-header", 1)]),
        (TWO_SETS.replace("Bo\t1\t2\n", ""), [("pairs-count", 1)]),
        (TWO_SETS.replace("Ann\t1\t4", "Ann\t1\tfour"), [("pairs-line", 2)]),
        (
            TWO_SETS.replace("Ann\t2\tBo\t1\nBo\t1\t2", "Bo\t1\t2\nAnn\t2\tBo\t1"),
            [("pairs-line", 3), ("pairs-line", 4)],
        ),
    ],
)
def test_a_damaged_list(tmp_path, text, expected):
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    assert problem_codes(read_lfw_pairs, path) == expected


@pytest.mark.parametrize("protocol", range(3, pickle.HIGHEST_PROTOCOL + 1))
def test_a_packed_file(tmp_path, protocol):
    path = tmp_path / "lfw.bin"
    path.write_bytes(pickle.dumps(([b"a", b"b", b"c", b"d"], [True, False]), protocol=protocol))
    pairs = read_packed_pairs(path)
    assert (pairs.images, pairs.same) == ((b"a", b"b", b"c", b"d"), (True, False))


def test_a_packed_file_of_python_2(tmp_path):
    """Opcodes of protocol 2 as Python 2 writes them: texts of bytes as SHORT_BINSTRING."""
    path = tmp_path / "lfw.bin"
    path.write_bytes(b"\x80\x02](U\x01\xffU\x02\xd8\xffe]\x88a\x86.")
    assert read_packed_pairs(path).images == (b"\xff", b"\xd8\xff")


class Hostile:
    """Runs a command where it is unpickled."""

    def __init__(self, file) -> None:
        self.file = file

    def __reduce__(self):
        return subprocess.check_call, (["touch", str(self.file)],)


def test_a_hostile_file_runs_nothing(tmp_path):
    path, trace = tmp_path / "lfw.bin", tmp_path / "trace"
    path.write_bytes(pickle.dumps(([Hostile(trace)], [True])))
    assert problem_codes(read_packed_pairs, path) == [("pairs-file-damaged", 0)]
    assert not trace.exists()
    pickle.loads(path.read_bytes())  # the full unpickler does run it
    assert trace.exists()


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (([b"a", b"b"], [True, False]), "pairs-count"),
        (([b"a", "b"], [True]), "pairs-file-damaged"),
        (([b"a", b"b"], [2]), "pairs-file-damaged"),
        (([], []), "pairs-file-damaged"),
        ({"images": []}, "pairs-file-damaged"),
    ],
)
def test_another_content(tmp_path, held, code):
    path = tmp_path / "lfw.bin"
    path.write_bytes(pickle.dumps(held))
    assert problem_codes(read_packed_pairs, path) == [(code, 0)]


def test_every_cut_of_a_file_is_refused(tmp_path):
    whole = pickle.dumps(([b"ab", b"cd"], [True]))
    path = tmp_path / "lfw.bin"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert problem_codes(read_packed_pairs, path) == [("pairs-file-damaged", 0)]
