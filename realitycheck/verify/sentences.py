"""The verdicts in the sentences of a report: each that has a known form is held to the records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from realitycheck.verify.checks import Checks
from realitycheck.verify.digests import Json
from realitycheck.verify.printed import plain
from realitycheck.verify.wanted_scores import points, signed, span

Claim = tuple[str, str | None]
"""The name of a loss as it is printed, and the verdict that a sentence gives it."""

WORDS = {
    "better": "better",
    "worse": "worse",
    "equivalent": "equivalent",
    "undecided": "undecided",
    "identical": "identical",
    "not finished": None,
}


def check_answers(dataset: Json, reported: Json, where: str, checks: Checks, *, primary: tuple[str, str]) -> None:
    """Hold the sentences of `tables.json` on the baseline and on the untrained models to the verdicts.

    Args:
        dataset: the numbers of the dataset.
        reported: what `tables.json` has of it.
        where: its name.
        primary: category and metric of the verdicts.
        checks: the result.
    """
    wanted = {one["label"]: one for one in dataset["comparisons"]}
    parts = " ".join(reported.get("answers", {}).values())
    says = "its answers are not those by question."
    holds = reported.get("answer") == parts
    checks.holds(holds, what="sentences", where=f"{where}: answer", code="sentence-differs", says=says)
    if re.search(r"\bNo loss is better or worse than\b", parts):
        clear = [one["label"] for one in dataset["comparisons"] if one["verdict"] in ("better", "worse")]
        says = f"it says that no loss differs, and the records lead to {', '.join(clear)}."
        checks.holds(
            not clear, what="verdicts in sentences", where=f"{where}: answer", code="sentence-differs", says=says
        )
    for claim in _claims(reported.get("answer", "")):
        _check(claim, {name: one["verdict"] for name, one in wanted.items()}, f"{where}: answer", checks)
    _check_numbers(reported.get("answer", ""), wanted, f"{where}: answer", checks)
    _check_exploratory(reported.get("answer", ""), dataset, f"{where}: answer", checks)
    _check_sizes(reported.get("sensitivity", ""), wanted, f"{where}: sensitivity", checks)
    helped, own = reported.get("against_untrained"), dataset["against_untrained"]
    if not helped or not own:
        return
    for row, gains in own["gains"].items():
        verdicts = {gain["label"]: gain["verdict"] for gain in gains}
        for summary in _gained(helped.get("answer", ""), row, len(gains)):
            place = f"{where}: against_untrained.answer"
            _check_count(summary, verdicts, place, checks)
    _check_lower(helped.get("answer", ""), own["gains"], where, checks)
    _check_elsewhere(helped.get("answer", ""), dataset, primary, where, checks)


def _check_exploratory(text: str, dataset: Json, where: str, checks: Checks) -> None:
    """That half of the losses or more are exploratory, where it is so; fewer have a mark beside their names."""
    rows = dataset.get("rows", [])
    late, total = sum(row["exploratory"] for row in rows), len(rows)
    which = f"All {total}" if late == total else f"{late} of {total}"
    wanted = [which] if late and 2 * late >= total else []
    there = re.findall(r"(All \d+|\d+ of \d+) losses are exploratory", text)
    says = "how many losses it calls exploratory is not what the records lead to."
    checks.holds(there == wanted, what="numbers in sentences", where=where, code="sentence-differs", says=says)


def _check_lower(text: str, gains: Mapping[str, Sequence[Json]], where: str, checks: Checks) -> None:
    """That all means are lower than that of an untrained row, wherever it is so, and by how much."""
    means = [[one["mean"] for one in own] for own in gains.values()]
    lower = [
        [-mean for mean in own] for own in means if len(own) > 1 and all(one is not None and one < 0 for one in own)
    ]
    there = re.findall(r"All (\d+) means are lower, by ([\d.]+) to ([\d.]+) points", text)
    holds = len(there) == len(lower) and all(
        int(count) == len(own) and plain(low) in points(min(own)) and plain(high) in points(max(own))
        for (count, low, high), own in zip(there, lower, strict=True)
    )
    says = "what it says of means below the untrained models is not what the records lead to."
    place = f"{where}: against_untrained.answer"
    checks.holds(holds, what="numbers in sentences", where=place, code="sentence-differs", says=says)


def _check_elsewhere(text: str, dataset: Json, primary: tuple[str, str], where: str, checks: Checks) -> None:
    """In which other scores of the primary category all losses are below an untrained model."""
    (category, metric), wanted = primary, []
    for place, cell in enumerate(dataset["rows"][0]["cells"] if dataset.get("rows") else []):
        means = [row["cells"][place]["mean"] for row in dataset["rows"]]
        if cell["category"] != category or cell["metric"] == metric or None in means or len(means) < 2:
            continue
        bases = {row["label"]: row["cells"][place]["mean"] for row in dataset["untrained"]}
        above = [label for label, base in bases.items() if base is not None and base > max(means)]
        if above:
            names = " and ".join([", ".join(above[:-1]), above[-1]] if len(above) > 1 else above)
            wanted.append(f"all {len(means)} means are lower than that of the {names}.")
    there = re.findall(r"all \d+ means are lower than that of the [^.]*\.", text)
    says = "what it says of other scores below the untrained models is not what the records lead to."
    answer = f"{where}: against_untrained.answer"
    checks.holds(there == wanted, what="numbers in sentences", where=answer, code="sentence-differs", says=says)


def _claims(text: str) -> Iterator[Claim]:
    """The verdicts of the sentences of an answer."""
    for sentence in re.split(r"(?<=[.])\s+(?=[^\s0-9+−-]|\d+ of \d+ loss)", text):
        body = re.sub(r"\([^()]*\)", "", sentence)
        many = re.search(r" are (better|worse|equivalent|undecided|identical)\b[^:]*: (.*)\.$", body)
        one = re.match(r"(\S+)\s+(?:is|against \S+\s+is) (better|worse|equivalent|undecided|identical)\b", body)
        if many:
            names = re.split(r",\s+|\s+and\s+", many[2])
            yield from ((name.strip(), many[1]) for name in names if name.strip())
        elif one:
            yield one[1], one[2]


def _check(claim: Claim, verdicts: Mapping[str, str | None], where: str, checks: Checks) -> None:
    name, verdict = claim
    if name not in verdicts:
        return
    checks.holds(
        verdicts[name] == verdict,
        what="verdicts in sentences",
        where=where,
        code="sentence-differs",
        says=f"it calls {name} {verdict}, and the records lead to {verdicts[name] or 'no verdict yet'}.",
    )


NUMBERS = re.compile(
    r"(\S+)(?: \([^()]*\))? [^()]*?\(([+−]?[\d.]+) points, [\d.]+ % interval ([+−]?[\d.]+ to [+−]?[\d.]+)\)"
)


def _check_numbers(text: str, wanted: Mapping[str, Json], where: str, checks: Checks) -> None:
    """The difference and the interval behind a verdict."""
    for name, gap, ends in NUMBERS.findall(text):
        one = wanted.get(name)
        if one is None:
            continue
        interval = one["equivalence"] if one["verdict"] == "equivalent" else one["interval"]
        holds = plain(gap) in signed(one["mean"]) and plain(ends) in span(interval)
        says = f"it gives {name} {gap} points and the interval {ends}, and the records lead to others."
        checks.holds(holds, what="numbers in sentences", where=where, code="sentence-differs", says=says)


def _check_sizes(text: str, wanted: Mapping[str, Json], where: str, checks: Checks) -> None:
    """The smallest and the largest detectable difference."""
    sizes = [one["detectable"] for one in wanted.values() if one["verdict"] and one["detectable"] is not None]
    there = re.findall(r"([\d.]+)(?= points|\s\([^()]*\) to )", text)
    ends = [min(sizes), max(sizes)] if sizes else []
    holds = all(plain(printed) in points(own) for printed, own in zip(there, ends, strict=False))
    holds = holds and bool(there) == bool(ends)
    says = f"it gives {' to '.join(there) or 'no'} points as detectable, and the records lead to others."
    checks.holds(holds, what="numbers in sentences", where=where, code="sentence-differs", says=says)


def _gained(text: str, row: str, total: int) -> Iterator[Json]:
    """`N of M losses are better than ROW; worse: a, b; undecided: c.`"""
    pattern = rf"(\d+) of {total} loss(?:es are| is) better than the {re.escape(row)}((?:; [^.;]*)*)\."
    for match in re.finditer(pattern, text):
        groups = {}
        for part in match[2].split("; ")[1:]:
            word, _, names = part.partition(": ")
            groups[word] = [names] if names == f"all {total}" else re.split(r", | and ", re.sub(MARK, "", names))
        yield {"row": row, "better": int(match[1]), "groups": groups}


MARK = r" \([^()]*\)"
"""What is printed in brackets after a name."""


def _short(names: list[str], total: int) -> list[str]:
    """`all 13` in place of the names where more than three losses have one verdict."""
    return [f"all {total}"] if len(names) == total > FEW else names


def _check_count(claim: Json, verdicts: Mapping[str, str | None], where: str, checks: Checks) -> None:
    expected: dict[str, list[str]] = {
        word: [label for label, verdict in verdicts.items() if verdict == own]
        for word, own in WORDS.items()
        if word not in ("equivalent", "identical")
    }
    better = expected.pop("better")
    there = {word: _short(names, len(verdicts)) for word, names in expected.items() if names}
    checks.holds(
        claim["better"] == len(better) and claim["groups"] == there,
        what="verdicts in sentences",
        where=where,
        code="sentence-differs",
        says=f"what it says of the {claim['row']} is not what the records lead to.",
    )


def check_repeated(reported: Json, texts: Mapping[str, str], checks: Checks) -> None:
    """The sentences of `tables.json` are those of the page and of the Markdown file."""
    wanted = [sentence for dataset in reported["datasets"] for sentence in _sentences(dataset)]
    for file, text in texts.items():
        for sentence in wanted:
            says = f"it does not have the sentence of tables.json: {sentence[:80]}"
            holds = plain(sentence) in text
            checks.holds(holds, what="sentences", where=file, code="sentence-differs", says=says)


def _sentences(dataset: Json) -> Sequence[str]:
    helped = dataset.get("against_untrained") or {}
    warned = [one.get("sentence") for one in dataset.get("warnings", ())]
    shared = (dataset.get("shared_effects") or {}).get("sentence")
    answers = (*dataset.get("answers", {}).values(), dataset.get("sensitivity"), helped.get("answer"), shared)
    return [text for text in (*answers, *warned) if text]


def check_declarations(study: Json, datasets: Sequence[Json], texts: Mapping[str, str], checks: Checks) -> None:
    """What the page says of registrations, deviations and openings is what the records lead to.

    Args:
        study: the keys of the study.
        datasets: the numbers of each dataset.
        texts: name of a file → its text without markup and spaces.
        checks: the result.
    """
    for file, text in texts.items():
        for wanted in _declared(study):
            says = f"it does not say: {wanted}"
            holds = plain(wanted) in text
            checks.holds(holds, what="declarations", where=file, code="sentence-differs", says=says)
        for name in _clean(study):
            says = f"it names deviations on {name}, and there is none."
            holds = plain(f"Deviations on {name}:") not in text
            checks.holds(holds, what="declarations", where=file, code="sentence-differs", says=says)
        _check_openings(datasets, text, file, checks)


def _declared(study: Json) -> Iterator[str]:
    """The phrases that must be there: the digits of each registration, its deviations, and files that changed."""
    for one in study["registrations"]:
        yield one["id"][:12]
        yield from one["changed_files"]
        yield from (phrase for phrases in one["deviations"].values() for phrase in phrases)
    if not study["registrations"]:
        yield "This study was not registered."


def _clean(study: Json) -> list[str]:
    """Datasets on which no registration has a deviation."""
    names = {name for one in study["registrations"] for name in one["deviations"]}
    return sorted(name for name in names if not any(one["deviations"].get(name) for one in study["registrations"]))


UNKNOWN = "Those of other studies are not known to this page"
"""The sentence beside every number of openings."""

FEW = 3
"""Losses that a sentence always names."""

TIMES = {"once": 1, "twice": 2}


def _check_openings(datasets: Sequence[Json], text: str, file: str, checks: Checks) -> None:
    """How often the test half was opened, dataset by dataset."""
    counts = re.findall(r"Thetesthalfwasopened(once|twice|(\d+)times)", text)
    numbers = [int(digits) if digits else TIMES[word] for word, digits in counts]
    expected = [len(one["openings"]) for one in datasets if one["openings"]]
    says = f"it counts {numbers} openings, and the records lead to {expected}."
    checks.holds(numbers == expected, what="openings", where=file, code="sentence-differs", says=says)
    if expected:
        says = "it does not say that openings by other studies are not known to it."
        holds = text.count(plain(UNKNOWN)) == len(expected)
        checks.holds(holds, what="openings", where=file, code="sentence-differs", says=says)
