"""Which images are present, which a study was run on, and what changed between the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from realitycheck.atomic import move_aside, storage_errors
from realitycheck.errors import InputError, Problem, RunError
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import Present, fitting_data
from realitycheck.records.schema import Opening, Proposal, of_type
from realitycheck.stores.cache import publish_json, read_meta
from realitycheck.stores.manifest import (
    Manifest,
    changed_halves,
    differences,
    manifest_of,
    read_manifest,
    write_manifest,
)
from realitycheck.stores.prepare import Stores
from realitycheck.verbs.folders import evidence_folder

RESTORE = "To keep the earlier results, put the images back."


def data_changes(read: ReadStudy, stores: Mapping[str, Stores]) -> list[Problem]:
    """What changed in the images, labels and split since the study was last run; one problem for each dataset."""
    return [problem for name, pair in stores.items() for problem in _changes(read, name, manifest_of(pair))]


def see_data(read: ReadStudy, stores: Mapping[str, Stores]) -> None:
    """Write down which images are present, for `status` and `report`, which do not read them."""
    seen = {name: [pair.trainval_digest, pair.test_digest] for name, pair in stores.items()}
    path = _seen(read)
    with storage_errors(path):
        if _read_seen(path) != seen:
            publish_json(path, seen)


def remember_data(read: ReadStudy, stores: Mapping[str, Stores]) -> None:
    """Write down the images on which a study is run."""
    for name, pair in stores.items():
        path, manifest = _manifest(read, name), manifest_of(pair)
        with storage_errors(path):
            if _known(path)[0] != manifest:
                write_manifest(path, manifest)


def present_data(read: ReadStudy) -> dict[str, Present]:
    """The digests of the images of each dataset, as last seen by a command that reads them; else as last run."""
    present = {}
    for choice in read.study.datasets:
        known, _ = _known(_manifest(read, choice.name))
        if known is not None:
            present[choice.name] = known.digests
    seen = {name: (trainval, test) for name, (trainval, test) in _read_seen(_seen(read)).items()}
    return present | seen


def unfitting_records(read: ReadStudy, ledger: Ledger) -> list[Problem]:
    """Datasets of which the images present are not those of the ledger's records."""
    present = present_data(read)
    problems = []
    for name, (data, test) in present.items():
        if name not in {choice.name for choice in read.study.datasets}:
            continue
        known = fitting_data(read.study, name, ledger.records)
        if known and data not in known:
            says = f"the images present differ from those of the ledger's trials. {RESTORE} Or `run` the study."
            problems.append(read.lines.problem(("datasets", name), "data-unlike-records", says))
        elif opened := _unlike_opened(ledger, data, test):
            says = f"the test images present differ from those of {opened}. {RESTORE} Or `run` the study."
            problems.append(read.lines.problem(("datasets", name), "data-unlike-records", says))
    return problems


def require_fitting_records(read: ReadStudy, ledger: Ledger) -> None:
    """Refuse to report on records of other images than those that are present.

    Raises:
        InputError: the ledger has records of the study, but none on the images that are present.
    """
    if problems := unfitting_records(read, ledger):
        raise InputError(read.source, problems)


def _unlike_opened(ledger: Ledger, data: str, test: str) -> str | None:
    openings = [opening for opening in of_type(ledger.records.values(), Opening) if opening.data == data]
    unlike = bool(openings) and not any(opening.test == test for opening in openings)
    return f"{len(openings)} opening{'s' * (len(openings) > 1)}" if unlike else None


def _changes(read: ReadStudy, name: str, present: Manifest) -> Iterator[Problem]:
    path = _manifest(read, name)
    known, damaged = _known(path)
    if damaged:
        says = f"{path}: the manifest is damaged. `run` sets it aside and writes it again."
        yield read.lines.problem(("datasets", name), "manifest-damaged", says)
    if known is None:
        yield from _unlike_ledger(read, name, present)
    elif parts := list(differences(known, present)):
        says = f"the images changed since the last `run`: {'; '.join(parts)}. {_consequence(known, present)} {RESTORE}"
        yield read.lines.problem(("datasets", name), "data-changed", says)


def _consequence(known: Manifest, present: Manifest) -> str:
    if "trainval" in changed_halves(known, present):
        return "`run` starts all searches on this dataset anew; the records so far stay in the ledger."
    return "Only the test half differs: `run` keeps the searches, and opens and scores this test half."


def _unlike_ledger(read: ReadStudy, name: str, present: Manifest) -> Iterator[Problem]:
    """Without a manifest, the ledger alone says that the images were others."""
    folder = evidence_folder(read)
    if not folder.is_dir():
        return
    records = Ledger(folder).records
    proposals = [proposal for proposal in of_type(records.values(), Proposal) if proposal.dataset == name]
    others = {proposal.data for proposal in proposals} - {present.trainval.digest}
    tests = {opening.test for opening in of_type(records.values(), Opening) if opening.dataset == name}
    fits = len(others) < len({proposal.data for proposal in proposals}) or not proposals
    if not fits or (tests and present.test.digest not in tests):
        says = f"the images are not those of the ledger's records, of which there is no manifest. {RESTORE}"
        yield read.lines.problem(("datasets", name), "data-changed", says)


def _known(path: Path) -> tuple[Manifest | None, bool]:
    """The manifest of the last run, and whether there is one that is damaged."""
    try:
        return read_manifest(path), False
    except ValueError:
        return None, True


def set_damaged_manifests_aside(read: ReadStudy) -> None:
    """Rename manifests that cannot be read."""
    for choice in read.study.datasets:
        path = _manifest(read, choice.name)
        if _known(path)[1]:
            move_aside(path)


def _manifest(read: ReadStudy, dataset: str) -> Path:
    return evidence_folder(read) / "manifests" / f"{dataset}.json.gz"


def _seen(read: ReadStudy) -> Path:
    return evidence_folder(read) / "cache" / "present.json"


def _read_seen(path: Path) -> dict[str, list[str]]:
    try:
        seen: dict[str, list[str]] = read_meta(path)
    except RunError:
        return {}
    return seen
