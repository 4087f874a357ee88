"""Ways to change the numbers of evaluations, of distances to class vectors and of sweeps in a report by hand."""

from __future__ import annotations

import re

from tampered import Copy


def in_json(copy: Copy, *, keys: tuple[str | int, ...]) -> None:
    """Move a number of the dataset by 1e-4, or make a verdict another one."""

    def move(body: dict) -> None:
        place = body["datasets"][0]
        for key in keys[:-1]:
            place = place[key]
        value = place[keys[-1]]
        place[keys[-1]] = value + 1e-4 if isinstance(value, float) else "worse"

    copy.edit_json(move)


def in_markdown(copy: Copy, *, head: str, row: int, column: int) -> None:
    """Change the first digit of a cell of the table with a head."""
    path = copy.report / "tables.md"
    lines = path.read_text().splitlines(keepends=True)
    first = next(place for place, line in enumerate(lines) if f"| {head} |" in line) + 2
    cells = lines[first + row].split("|")
    cells[column + 1] = changed(cells[column + 1])
    lines[first + row] = "|".join(cells)
    path.write_text("".join(lines))


def below_published(copy: Copy, *, file: str) -> None:
    """Change the first number of the first line of this study below a published one."""
    path = copy.report / file
    text = path.read_text()
    line = re.search(r"(?:\||<t[dh][^>]*>)[ *_]*this study\b(?!\.)", text)
    assert line
    after = text[line.end() :]
    number = re.search(r"\d+\.\d\d", after)
    assert number
    path.write_text(text[: line.end()] + after.replace(number[0], changed(number[0]), 1))


def dropped_below_published(copy: Copy) -> None:
    """Drop the first line of this study below a published one."""
    path = copy.report / "tables.md"
    lines = path.read_text().splitlines(keepends=True)
    del lines[next(place for place, line in enumerate(lines) if line.startswith("| this study"))]
    path.write_text("".join(lines))


def changed(cell: str) -> str:
    digit = re.search(r"\d", cell)
    assert digit, cell
    return cell[: digit.start()] + str((int(digit[0]) + 1) % 10) + cell[digit.end() :]


def on_page(copy: Copy, *, heading: str) -> None:
    """Change the first number of the first table below a heading of the page."""
    path = copy.report / "index.html"
    before, after = path.read_text().split(f">{heading}<", 1)
    start = after.index("<tbody")
    number = re.search(r">[+−]?\d+(?:\.\d+)?(?=[ <])", after[start:])
    assert number
    own = number[0][:1] + changed(number[0][1:])
    after = after[:start] + after[start:].replace(number[0], own, 1)
    path.write_text(f"{before}>{heading}<{after}")


def moved_choice(copy: Copy) -> None:
    """Another value of a sweep is marked as the chosen one."""
    text = (copy.report / "tables.md").read_text()
    value = re.search(r"\| (\S+) \(chosen\) \|", text)[1]
    copy.replace("tables.md", f"| {value} (chosen) |", f"| {value} |")


def hidden_rise(copy: Copy) -> None:
    """A mean that does not fall with severity is left out of the note."""
    text = (copy.report / "tables.md").read_text()
    rise = re.search(r"Means that do not fall with severity: (.*? points\))", text)[1]
    copy.replace("tables.md", rise, "none")


CORRUPTION = ("corruption", "tables", 2, "lines", 1)
VERIFIED = ("verification", "evaluations", 0, "rows", 1)
CALIBRATED = ("one_threshold", "evaluations", 0, "rows", 2)
COURSE = ("proxy_distances", "courses", 0)
SWEPT = ("sweeps", "knobs", 0)

BY_JSON = {
    "verdict on corrupted images": (*CORRUPTION, "verdict"),
    "p-value on corrupted images": (*CORRUPTION, "p_holm"),
    "interval of a fall": (*CORRUPTION, "drop", "interval", "low"),
    "size of a rise": ("corruption", "rises", 0, "gain"),
    "true accept rate": (*VERIFIED, "roc", 8, "mean"),
    "equal error rate of a seed": (*VERIFIED, "eer", "values", 0),
    "place of a threshold": (*CALIBRATED, "places", 3, "half_width"),
    "lost by one threshold": (*CALIBRATED, "lost", "mean"),
    "distance at the end": (*COURSE, "end"),
    "distance in the course": (*COURSE, "means", 1),
    "score of a swept value": (*SWEPT, "values", 0, "scores", "mean"),
    "test score of a swept value": (*SWEPT, "values", 0, "test", "mean"),
    "chosen value of a sweep": (*SWEPT, "chosen"),
}
"""What is changed → keys and places in the dataset of `tables.json`."""

BY_MARKDOWN = {
    "score on corrupted images": ("Against clean", 3, 2),
    "fall on corrupted images": ("Against clean", 2, 3),
    "accuracy": ("TAR at FAR 0.1", 0, 1),
    "equal error rate": ("TAR at FAR 0.1", 1, 5),
    "spread of thresholds": ("Spread of best thresholds", 2, 1),
    "diverged runs": ("Distance at the end", 0, 5),
    "swept value": ("Seeds without", 1, 2),
    "test score in the table": ("Seeds without", 0, 3),
    "seeds without a score": ("Seeds without", 2, 4),
}
"""What is changed → a head of its table, its row and its column."""

ON_PAGE = (
    "Corrupted images",
    "Verification by pairs",
    "One threshold for all classes",
    "Score against one hyper-parameter",
)
"""Headings of tables."""
