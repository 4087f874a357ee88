"""The standard deviation that a design rests on, from an earlier study."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realitycheck.errors import InputError
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.verbs.folders import evidence_folder
from realitycheck.verbs.present import present_data
from realitycheck.verbs.report import study_evidence
from realitycheck.verbs.study import Progress, open_study, prepare_data, unwatched


@dataclass(frozen=True, slots=True)
class PilotDeviation:
    """A standard deviation that an earlier study found.

    Args:
        points: the standard deviation, in points of the primary score.
        freedom: its degrees of freedom: the fewest of the differences that it is taken from.
    """

    points: float
    freedom: float


def pilot_deviation(read: ReadStudy, pilot: ReadStudy | Path | str, *, watch: Progress = unwatched) -> PilotDeviation:
    """Return the standard deviation of the design's unit in an earlier study, and its degrees of freedom.

    It is the root mean square of √(n / 2) times the standard error of each difference from the baseline, n independent
    values in the pilot. So it holds what pairing by seed or search gains there. Where an estimator finds too large
    standard errors on average, as `searches_calibrated` does, it is divided by how much.

    Args:
        read: the study to plan.
        pilot: the earlier one. Its data, trials, replicates per search and estimator are the same, because the size of
            search luck depends on them; its losses, searches and seeds may be others. Data are the same if the decoded
            images, their labels and the split are, wherever they are kept.
        watch: sees the progress of the images of the study to plan.

    Raises:
        InputError: the two studies differ in what the deviation depends on, the pilot has too few scores, or images
            cannot be read.
        LedgerError: the pilot's ledger is damaged.
    """
    from realitycheck.report.findings import find_all  # scipy, that other verbs do without

    earlier = open_study(pilot)
    ledger = Ledger(evidence_folder(earlier))
    if unlike := sorted(_unlike(read, earlier)) or _other_data(read, earlier, ledger, watch):
        says = (
            f"the pilot {earlier.source} is not allowed here: its {', '.join(unlike)} differ from those of this study."
        )
        raise InputError.one(read.source, "pilot-unlike", f"{says} Choose a study under the same protocol.")
    findings = find_all(earlier.study, study_evidence(earlier, ledger), sources={}, credit=())
    design = findings.study.estimator.design(replicates=findings.study.seeds, losses=len(findings.study.losses))
    estimates = [
        dataset.fit.difference(label, findings.study.baseline)
        for dataset in findings.datasets
        for label in dataset.labels
        if label != findings.study.baseline
    ]
    squares = [estimate.error**2 for estimate in estimates if estimate is not None]
    if not squares:
        says = f"missing scores of the pilot {earlier.source}; `run` it first, or state the deviation by `--sd`."
        raise InputError.one(read.source, "pilot-scores-missing", says)
    deviation = math.sqrt(design.independent / 2 * math.fsum(squares) / len(squares))
    freedom = min(estimate.freedom for estimate in estimates if estimate is not None)
    return PilotDeviation(100 * deviation / design.error, freedom)


def _unlike(read: ReadStudy, earlier: ReadStudy) -> Iterator[str]:
    """Name the keys on which the deviation depends and which differ."""
    own, other = _comparable(read.study.protocol), _comparable(earlier.study.protocol)
    yield from (key for key in own if own[key] != other.get(key))
    if read.study.primary != earlier.study.primary:
        yield "primary"


def _other_data(read: ReadStudy, earlier: ReadStudy, ledger: Ledger, watch: Progress) -> list[str]:
    """Name the datasets where the digests of images, labels and split are others than in the pilot's records.

    Roots and patterns are not compared: one folder can be at two places, and a place can hold other images. A pilot of
    which no digest is known has no scores either.
    """
    present = present_data(earlier)
    names = [choice.name for choice in earlier.study.datasets]
    plans = [from_records(earlier.study, name, ledger.records, present=present.get(name)) for name in names]
    known = {(plan.data, plan.test) for plan in plans}
    own = {(pair.trainval_digest, pair.test_digest) for pair in prepare_data(read, watch=watch).values()}
    return ["datasets"] if all(data for data, _ in known) and known != own else []


def _comparable(protocol: Protocol) -> dict[str, Any]:
    """The protocol without its names, its numbers of searches and seeds, and the level of its intervals."""
    body = protocol.model_dump(mode="json", exclude={"protocol", "summary", "assumed", "interval"})
    searches = body["search"].pop("searches")
    body["final"]["seeds"] /= searches
    return body | {"interval": protocol.interval.method}
