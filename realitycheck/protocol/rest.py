"""What is left of a study whose files are wrong: as much of it as the later layers of `check` can look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from realitycheck.losses.menu import entry, parts
from realitycheck.protocol.document import Document, ReadFile
from realitycheck.protocol.model import DatasetChoice, LossChoice, Protocol, Study
from realitycheck.protocol.salvage import passing_gaps, sound_part
from realitycheck.protocol.written import (
    Spaces,
    WrittenDataset,
    WrittenLoss,
    WrittenStudy,
    dataset_choice,
    space_of,
)


def rest_of_study(sound: Document, protocol: Protocol, spaces: Spaces, *, folder: Path) -> Study:
    """Datasets and losses as far as they are sound; without what only a right study has.

    Args:
        sound: the study's file without what was refused.
        protocol: what is sound of the protocol.
        spaces: what is sound of the spaces.
        folder: where relative roots start.
    """
    written = vars(_written(sound))
    datasets: list[DatasetChoice] = []
    for name, options in written.get("datasets", {}).items():
        with passing_gaps(), suppress(ValidationError):
            datasets.append(dataset_choice(name, options or WrittenDataset(), folder))
    losses: list[LossChoice] = []
    for label, each in written.get("losses", {}).items():
        with passing_gaps():
            losses.append(_loss(label, each or WrittenLoss(), spaces, datasets))
    rest: dict[str, Any] = {"protocol": protocol, "datasets": tuple(datasets), "losses": tuple(losses)}
    return Study.model_construct(**rest)


def parts_to_fit(sound: Document, spaces: ReadFile[Spaces]) -> Iterator[Document]:
    """The study's file cut up, so that one gap in a protocol hides little: all but the losses, then each loss alone."""
    data = sound.data if isinstance(sound.data, dict) else {}
    yield replace(sound, data={key: value for key, value in data.items() if key != "losses"})
    for label, options in vars(_written(sound)).get("losses", {}).items():
        raw = sound.get(("losses", label), dict) or {}
        kept = _kept(raw, vars(options or WrittenLoss()))
        name = str(kept.get("loss") or label)
        told_already = {"loss", "space"} & (raw.keys() - kept.keys())
        if not told_already and ("space" in kept or not _refused(parts(name), spaces)):
            yield replace(sound, data={"losses": {label: kept}})


def _written(sound: Document) -> WrittenStudy:
    written: WrittenStudy = sound_part(WrittenStudy, sound.data if isinstance(sound.data, dict) else {})
    return written


def _kept(raw: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a loss as they are written, without what is wrong."""
    kept = {key: value for key, value in raw.items() if key in options}
    if kept.get("space") is not None:
        kept["space"] = {knob: ground for knob, ground in kept["space"].items() if knob in options["space"]}
    return kept


def _refused(names: Iterable[str], spaces: ReadFile[Spaces]) -> bool:
    """Whether a space is missing only because it, or its whole file, is wrong."""
    written = spaces.document.get((), dict)
    return written is None or any(name in written and name not in spaces.value for name in names)


def _loss(label: str, options: WrittenLoss, spaces: Spaces, datasets: Iterable[DatasetChoice]) -> LossChoice:
    name = options.loss or label
    face = entry(name) or options
    found: dict[str, Any] = {"label": label, "address": name}
    found |= {key: getattr(face, key) for key in ("distance", "family") if getattr(face, key, None) is not None}
    with suppress(KeyError), passing_gaps():  # there is none, or it was refused
        own = options.space
        found["space"] = space_of(name, spaces, dataset="") if own is None else own
        if own is None:
            found["spaces"] = {each.name: space_of(name, spaces, dataset=each.address) for each in datasets}
    return LossChoice.model_construct(**found)
