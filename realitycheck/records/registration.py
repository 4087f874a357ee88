"""The record of what a study wanted to do before it ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from realitycheck.canonical import digest
from realitycheck.runs import RESULTS_VERSION, Body


@dataclass(frozen=True, slots=True)
class Registration:
    """What a study wanted to do, written by `register`, or by the first `run` where nobody had registered.

    It holds no date, so that equal files give equal records on every machine; the notes have the time.

    Args:
        study: name of the study.
        files: name and text of the study's file, the protocol's and the spaces', in this order.
        version: version of this package.
        code: digest of the source files of this package.
        plans: name of a dataset → digest of the plan on it.
        searches: name of a dataset → label of a loss → digests of its searches, in order.
        claims: name of a dataset → what an opening would hold as its claims.
        openings: name of a dataset → how many openings of its test half the ledger held before.
        records: how many proposals, runs and scores the ledger held before.
        number: how many registrations the ledger held before.
    """

    kind: ClassVar[str] = "registration"

    study: str
    files: tuple[tuple[str, str], ...]
    version: str
    code: str
    plans: Mapping[str, str]
    searches: Mapping[str, Mapping[str, tuple[str, ...]]]
    claims: Mapping[str, Mapping[str, Any]]
    openings: Mapping[str, int]
    records: int
    number: int

    @property
    def id(self) -> str:
        """Digest of study, files, code and plans."""
        files = [list(file) for file in self.files]
        return digest({"registration": self.study, "files": files, "code": self.code, "plans": dict(self.plans)})

    def to_json(self) -> Body:
        """The body of the record."""
        return {
            "kind": self.kind,
            "id": self.id,
            "results_version": RESULTS_VERSION,
            "study": self.study,
            "files": [list(file) for file in self.files],
            "version": self.version,
            "code": self.code,
            "plans": dict(self.plans),
            "searches": {
                dataset: {label: list(ids) for label, ids in losses.items()}
                for dataset, losses in self.searches.items()
            },
            "claims": {dataset: dict(claims) for dataset, claims in self.claims.items()},
            "openings": dict(self.openings),
            "records": self.records,
            "number": self.number,
        }
