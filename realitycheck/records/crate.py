"""The description of packed evidence for archives: RO-Crate 1.1 as JSON-LD (https://w3id.org/ro/crate/1.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from realitycheck.atomic import sha256_of, storage_errors
from realitycheck.runs import Body

NAME = "ro-crate-metadata.json"

PROFILE = "https://w3id.org/ro/crate/1.1"

FILES = {
    "ledger.jsonl.gz": "Every record of the study: registrations, proposals, runs, scores and openings. Its first line "
    "has the study, its protocol and its ranges as text.",
    "attempts.jsonl.gz": "Times, durations, versions and failed attempts, without names of machines and users.",
}
"""What a packed study consists of → what it is."""


def write_crate(folder: Path, *, study: str, question: str, texts: Mapping[str, str], version: str, date: str) -> Path:
    """Write the description of the packed files of a folder of evidence; its path.

    Args:
        folder: of the evidence.
        study: the study's name.
        question: the study's question.
        texts: name → text of the study's file, the protocol's and the spaces'.
        version: of this package.
        date: of the last work on the study, as `2026-11-28`.
    """
    path = folder / NAME
    with storage_errors(path):
        files = [_file(folder / name) for name in FILES if (folder / name).is_file()]
        graph = [_descriptor(), _root(study, question, files, texts, date), *files, *_texts(texts), *_made(version)]
        content = {"@context": f"{PROFILE}/context", "@graph": graph}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _descriptor() -> Body:
    return {"@id": NAME, "@type": "CreativeWork", "conformsTo": {"@id": PROFILE}, "about": {"@id": "./"}}


def _root(study: str, question: str, files: list[Body], texts: Mapping[str, str], date: str) -> Body:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Evidence of the study {study}",
        "description": f"{question} A comparison of losses for deep metric learning; `realitycheck report` rebuilds "
        "its report from the ledger, and `realitycheck verify` derives its numbers a second time.",
        "datePublished": date,
        "license": "the choice of the study's authors",
        "hasPart": [{"@id": file["@id"]} for file in files],
        "mentions": [{"@id": f"#{name}"} for name in texts],
    }


def _file(path: Path) -> Body:
    return {
        "@id": path.name,
        "@type": "File",
        "name": path.name,
        "description": FILES[path.name],
        "encodingFormat": "application/gzip",
        "contentSize": str(path.stat().st_size),
        "identifier": f"sha256:{sha256_of(path)}",
    }


def _texts(texts: Mapping[str, str]) -> list[Body]:
    kinds = ("the study: what is compared", "the protocol: how it is measured", "the ranges of the searches")
    return [
        {"@id": f"#{name}", "@type": "CreativeWork", "name": name, "about": kind, "text": text}
        for (name, text), kind in zip(texts.items(), kinds, strict=True)
    ]


def _made(version: str) -> list[Body]:
    software = {"@id": "#realitycheck", "@type": "SoftwareApplication", "name": "Reality Check"}
    action = {"@id": "#pack", "@type": "CreateAction", "name": "realitycheck pack"}
    return [
        software | {"version": version, "softwareVersion": version},
        action | {"instrument": {"@id": "#realitycheck"}, "result": {"@id": "ledger.jsonl.gz"}},
    ]
