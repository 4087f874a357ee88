"""A packed study with its report, and what somebody changed in it."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Body = dict[str, Any]


def sha256(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


FIRST, SECOND = "contrastive", "normalized_softmax"
"""The losses of the study."""


@dataclass
class Copy:
    """A copy of a packed study and its report, which may be changed."""

    home: Path

    @property
    def study(self) -> Path:
        return self.home / "studies" / "small.yaml"

    @property
    def pack(self) -> Path:
        return self.home / "studies" / "small" / "ledger.jsonl.gz"

    @property
    def report(self) -> Path:
        return self.home / "reports" / "small"

    def copied(self, home: Path) -> Copy:
        shutil.copytree(self.home, home)
        return Copy(home)

    def copied_report(self, home: Path) -> Copy:
        """A copy of the report alone."""
        shutil.copytree(self.report, Copy(home).report)
        return Copy(home)

    def lines(self) -> list[Body]:
        with gzip.open(self.pack, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def write(self, lines: list[Body]) -> None:
        text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
        self.pack.write_bytes(gzip.compress(text.encode(), compresslevel=1))

    def bodies(self, kind: str) -> list[Body]:
        return [line["body"] for line in self.lines() if line["body"]["kind"] == kind]

    def change(self, where: Callable[[Body], bool], how: Callable[[Body], object], *, sealed: bool = True) -> None:
        """Change the bodies of some records; `sealed` makes their digests anew."""
        lines, hits = self.lines(), 0
        for line in lines:
            if where(line["body"]):
                how(line["body"])
                hits += 1
                if sealed:
                    line["sha256"] = sha256(line["body"])
        assert hits, "nothing was changed"
        self.write(lines)

    def drop(self, where: Callable[[Body], bool]) -> None:
        lines = self.lines()
        kept = [line for line in lines if not where(line["body"])]
        assert len(kept) < len(lines), "nothing was dropped"
        self.write(kept)

    def add(self, body: Body) -> None:
        self.write([*self.lines(), {"body": body, "sha256": sha256(body)}])

    def replace(self, file: str, old: str, new: str) -> None:
        """Change the first place of a text in a file of the report."""
        path = self.report / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def edit_json(self, how: Callable[[Body], object]) -> None:
        path = self.report / "tables.json"
        body = json.loads(path.read_text(encoding="utf-8"))
        how(body)
        path.write_text(json.dumps(body), encoding="utf-8")


def is_run(stage: str, label: str | None, **spec: object) -> Callable[[Body], bool]:
    """Whether a body is a run of a loss, or of no loss, with these values in its spec."""

    def holds(body: Body) -> bool:
        if body["kind"] != "run" or body["spec"]["stage"] != stage:
            return False
        own = body["spec"]["loss"]
        return (own["label"] if own else None) == label and all(body["spec"][name] == spec[name] for name in spec)

    return holds


def with_spec(body: Body, **changes: object) -> None:
    """Change the spec of a run, and its id with it."""
    body["spec"].update(changes)
    body["id"] = sha256(body["spec"])
