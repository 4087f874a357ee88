"""What travels with a job to a machine that does not share our disk, and what comes back.

A payload names files of this machine: stores, weights of a trunk, and a cache. On the node a job has a folder of its
own, and these names become names in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realitycheck.atomic import sha256_of, storage_errors
from realitycheck.executors.base import Job
from realitycheck.runs import Body
from realitycheck.stores.cache import checkpoint_path, read_meta, weights_path

STORES = ("trainval", "test", "pixels")
"""Keys of a payload or of its place that name a store, without a suffix."""

CACHE, WEIGHTS = "cache", "weights"
"""Keys that name the cache, and the file of a trunk's weights."""


@dataclass(frozen=True, slots=True)
class Cargo:
    """A file that a job reads.

    Args:
        path: where it is here.
        place: where the job finds it, relative to its folder.
        sha256: its digest.
        size: in bytes.
        kept: whether the node keeps it for later jobs.
    """

    path: Path
    place: str
    sha256: str
    size: int
    kept: bool


@dataclass(frozen=True, slots=True)
class Freight:
    """A job as a node gets it.

    Args:
        payload: names files relative to the folder of the job.
        cargo: what must be there before the job starts.
        homes: folder on the node, relative to that of the job → folder here that gets its new files.
    """

    payload: Body
    cargo: tuple[Cargo, ...]
    homes: Mapping[str, Path]

    def home_of(self, place: str) -> Path | None:
        """Return where a file of the node's folder belongs here; None if it belongs nowhere."""
        if ".." in Path(place).parts:
            return None
        for folder, home in self.homes.items():
            if place.startswith(f"{folder}/"):
                return home / place.removeprefix(f"{folder}/")
        return None


def located(payload: Body, folder: Path) -> Body:
    """Return a payload of `Freight` with the names of files in this folder."""
    holder = _holder(payload)
    named = {key: str(folder / holder[key]) for key in _names(holder)}
    return payload | ({"place": holder | named} if "place" in payload else named)


@dataclass(slots=True)
class Loading:
    """Finds what a job needs; digests of unchanged files are computed once."""

    _digests: dict[tuple[str, int, int, int], str] = field(default_factory=dict)

    def freight_of(self, job: Job) -> Freight:
        """Return the freight of a job.

        Raises:
            RunError: a store is missing, unfinished or damaged.
            OSError: a file is gone.
            StorageError: a file cannot be read.
        """
        holder = _holder(job.payload)
        named = {key: _node_name(key, holder[key]) for key in _names(holder)}
        payload = job.payload | ({"place": holder | named} if "place" in job.payload else named)
        homes = {named[CACHE]: Path(holder[CACHE])} if CACHE in named else {}
        if "pixels" in named:
            homes[str(Path(named["pixels"]).parent)] = Path(holder["pixels"]).parent
        return Freight(payload, tuple(self._cargo(job, holder, named)), homes)

    def _cargo(self, job: Job, holder: Mapping[str, Any], named: Mapping[str, str]) -> Iterator[Cargo]:
        for key in STORES:
            if key in named:
                yield from self._store(Path(holder[key]), named[key])
        if WEIGHTS in named:
            yield self._file(Path(holder[WEIGHTS]), named[WEIGHTS], kept=True)
        if CACHE in named:
            cache = Path(holder[CACHE])
            models = job.payload.get(WEIGHTS)
            paths = [weights_path(cache, run_id) for run_id in models] if isinstance(models, Mapping) else []
            for path in [*paths, checkpoint_path(cache, job.id)]:
                if path.exists():  # a missing one is the job's to report
                    yield self._file(path, f"{named[CACHE]}/{path.relative_to(cache).as_posix()}", kept=False)

    def _store(self, path: Path, name: str) -> Iterator[Cargo]:
        facts = path.with_suffix(".json")
        written = read_meta(path)["file"]
        yield self._file(facts, f"{name}.json", kept=True)
        yield Cargo(path.with_suffix(".npy"), f"{name}.npy", written["sha256"], written["bytes"], kept=True)

    def _file(self, path: Path, name: str, *, kept: bool) -> Cargo:
        with storage_errors(path):
            stat = path.stat()
            version = (str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if version not in self._digests:
                self._digests[version] = sha256_of(path)
        return Cargo(path, name, self._digests[version], stat.st_size, kept)


def _holder(payload: Body) -> Body:
    holder: Body = payload.get("place", payload)
    return holder


def _names(holder: Mapping[str, Any]) -> list[str]:
    return [key for key in (*STORES, CACHE, WEIGHTS) if isinstance(holder.get(key), str) and holder[key]]


def _node_name(key: str, path: str) -> str:
    return CACHE if key == CACHE else f"{key}/{Path(path).name}"
