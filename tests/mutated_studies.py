"""Shipped studies with something wrong in one of their files, drawn at random."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from realitycheck.errors import InputError

ROOT = Path(__file__).parent.parent
SHIPPED = ("demo", "sketches", "five_names")

SCALARS = (
    *(".nan", ".inf", "-.inf", "-1", "0", "1", "2", "1e308", "-1e308", "1e-320", "1e9", "1000000", "9999999999999999"),
    *("18446744073709551616", "1" * 50, "0x10", "010", "1_000", "~", "null", "true", "no", "''", "' '", "a", "a:b"),
    *(
        "os:system",
        "a.b:C",
        "torch.nn:Linear",
        "random:Random",
        "contrastive",
        "triplet",
        "lab:",
        ":",
        "a(b)",
        "a(b(c))",
    ),
    *(
        "n" * 70,
        "n" * 300,
        "n" * 5000,
        "é" * 130,
        "'\\ud800'",
        '"\\ud800"',
        '"\\0"',
        '"\\x1b[31m"',
        "../../../etc",
        "/",
    ),
    *("[]", "{}", "[1]", "[1, 2, 3]", "[.nan, 1]", "[[1]]", "{a: 1}", "{uniform: [0, 1]}", "{uniform: [1, 0]}"),
    *("{log_uniform: [0, 1]}", "{log_uniform: [1e-320, 1e308]}", "{uniform: [-1.7e308, 1.7e308]}"),
    *("{int_uniform: [1, 9999999999999999]}", "{int_uniform: [0, 3]}", "{log_int_uniform: [1, 2]}", "{choice: [a, a]}"),
    *(
        "{choice: [1, 2]}",
        "{choice: [.nan, 1]}",
        "{choice: []}",
        "{unifrom: [0, 1]}",
        "&x 1",
        "*x",
        "!!python/name:os",
        "|",
    ),
    *("<<", "2020-01-01", "1:30", "[" * 40 + "]" * 40, "{a: {b: {c: {d: 1}}}}", "'{{ x }}'", "%", "@", "`"),
)
"""What a value is replaced with; many come from bug reports of programs that read YAML."""

VALUE = re.compile(r"(?<=[:\[,] )([^\s,\[\]{}#][^,\[\]{}#\n]*)")
KEY = re.compile(r"([A-Za-z_@.]+)(?=:)")
NUMBER = re.compile(r"\b\d+(\.\d+)?(e-?\d+)?\b")


def read_all(folder: Path, read: Callable[[Path], object], *, count: int, seed: int) -> tuple[int, int]:
    """How many mutated studies are valid, and how many are refused with problems; any other error is raised."""
    valid = refused = 0
    for path, what in homes(folder, count=count, seed=seed):
        try:
            read(path)
            valid += 1
        except InputError as error:
            assert error.problems, what
            assert all(problem.code and problem.says for problem in error.problems), what
            refused += 1
        except Exception as error:
            raise AssertionError(what) from error
    return valid, refused


def homes(folder: Path, *, count: int, seed: int) -> Iterator[tuple[Path, str]]:
    """Write one home after the other in the same place: the study's file, and what was done to it."""
    draw = random.Random(seed)
    for number in range(count):
        name = draw.choice(SHIPPED)
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "studies").mkdir(parents=True)
        shutil.copytree(ROOT / "protocols", folder / "protocols")
        study = folder / "studies" / f"{name}.yaml"
        shutil.copy(ROOT / "studies" / f"{name}.yaml", study)
        protocol = re.search(r"^protocol: *(\S+)", study.read_text(), flags=re.MULTILINE)
        assert protocol
        files = [
            study,
            study,
            folder / "protocols" / f"{protocol[1]}.yaml",
            folder / "protocols" / "spaces" / "v3.yaml",
        ]
        done = []
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            file = draw.choice(files)
            text, what = _mutated(file.read_bytes(), draw)
            file.write_bytes(text)
            done.append(f"{file.name}: {what}")
        yield study, f"{number}: {name}; {'; '.join(done)}"


def _mutated(text: bytes, draw: random.Random) -> tuple[bytes, str]:
    kind = draw.choice((_replaced, _replaced, _replaced, _scaled, _renamed, _lines, _bytes))
    return kind(text, draw)


def _spot(pattern: re.Pattern[str], text: str, draw: random.Random) -> re.Match[str] | None:
    found = [match for match in pattern.finditer(text) if not text[: match.start()].rpartition("\n")[2].startswith("#")]
    return draw.choice(found) if found else None


def _substituted(text: bytes, draw: random.Random, pattern: re.Pattern[str], new: str) -> tuple[bytes, str]:
    string = text.decode(errors="replace")
    spot = _spot(pattern, string, draw)
    if spot is None:
        return text + new.encode(errors="replace"), f"+ {new[:40]!r}"
    changed = string[: spot.start()] + new + string[spot.end() :]
    return changed.encode(errors="replace"), f"{spot[0][:40]!r} -> {new[:40]!r}"


def _replaced(text: bytes, draw: random.Random) -> tuple[bytes, str]:
    return _substituted(text, draw, VALUE, draw.choice(SCALARS))


def _scaled(text: bytes, draw: random.Random) -> tuple[bytes, str]:
    factor = draw.choice(("000", "000000", "e6", "e-9", "e300", ".5", "e"))
    return _substituted(text, draw, NUMBER, f"{draw.choice(('', '-'))}{draw.randrange(100)}{factor}")


def _renamed(text: bytes, draw: random.Random) -> tuple[bytes, str]:
    return _substituted(text, draw, KEY, draw.choice(("x", "seed", "study", "<<", "a b", "'?'", "recipe", "n" * 300)))


def _lines(text: bytes, draw: random.Random) -> tuple[bytes, str]:
    lines = text.splitlines(keepends=True) or [b"\n"]
    place, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    kind = draw.choice(("drop", "twice", "swap", "indent", "outdent", "cut"))
    if kind == "drop":
        del lines[place]
    elif kind == "twice":
        lines.insert(other, lines[place])
    elif kind == "swap":
        lines[place], lines[other] = lines[other], lines[place]
    elif kind == "indent":
        lines[place] = b"  " + lines[place]
    elif kind == "outdent":
        lines[place] = lines[place].lstrip()
    else:
        del lines[place:]
    return b"".join(lines), f"{kind} line {place + 1} ({other + 1})"


def _bytes(text: bytes, draw: random.Random) -> tuple[bytes, str]:
    changed = bytearray(text or b"\n")
    for _ in range(draw.choice((1, 1, 4, 64))):
        place = draw.randrange(len(changed))
        changed[place] = draw.choice((changed[place] ^ (1 << draw.randrange(8)), draw.randrange(256)))
    return bytes(changed), "bytes"
