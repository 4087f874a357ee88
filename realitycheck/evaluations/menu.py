"""The menu of evaluations: what is measured of finished models on the test half, readable without torch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvaluationEntry:
    """What is known of one evaluation.

    Args:
        address: `module:Class` of the `Evaluation`.
        trained: whether trained models are measured; untrained ones always are.
        embedder: whether the embedder is part of what is measured; it is drawn at random.
        untrained_row: the label of the row that shows the untrained models under this evaluation; empty for none.
        form: how a protocol names it; empty where every study has it. What follows the colon are its options.
        options: regular expression of its options.
    """

    address: str
    trained: bool
    embedder: bool
    untrained_row: str
    form: str = ""
    options: str = ""


_HERE = "realitycheck.evaluations"

CORRUPTIONS: dict[str, str] = {
    "gaussian": "realitycheck.stores.corruptions.added_noise:gaussian",
    "uniform": "realitycheck.stores.corruptions.added_noise:uniform",
    "salt_pepper": "realitycheck.stores.corruptions.added_noise:salt_pepper",
    "dropout": "realitycheck.stores.corruptions.dropped_pixels:dropout",
    "cutout": "realitycheck.stores.corruptions.dropped_pixels:cutout",
    "shear": "realitycheck.stores.corruptions.moved_pixels:shear",
    "jigsaw": "realitycheck.stores.corruptions.moved_pixels:jigsaw",
    "hue_saturation": "realitycheck.stores.corruptions.shifted_colors:hue_saturation",
    "defocus_blur": "realitycheck.stores.corruptions.defocused:defocus_blur",
}
"""Kind of corruption → `module:function`, a `stores.corruptions.base.Corruption`."""

CORRUPTED = "corrupted"
"""The evaluation of corrupted images."""

LISTED_PAIRS = "listed_pairs"
"""The evaluation of the images of a published list of pairs."""

FOUNDATION = "foundation"
"""The evaluation of the features of a frozen foundation model."""

_PAIRS = r"[1-9][0-9]{0,6}-[0-9]{1,9}"
"""A number of pairs, and a seed."""

MENU: dict[str, EvaluationEntry] = {
    "clean": EvaluationEntry(f"{_HERE}.clean:Clean", trained=True, embedder=True, untrained_row="untrained embedder"),
    "trunk": EvaluationEntry(
        f"{_HERE}.trunk:TrunkFeatures", trained=False, embedder=False, untrained_row="untrained trunk"
    ),
    FOUNDATION: EvaluationEntry(
        f"{_HERE}.foundation:FoundationFeatures",
        trained=False,
        embedder=False,
        untrained_row="frozen <label>",
        form="foundation:<label>-<digest>",
        options=r"[a-z0-9][a-z0-9_.-]{0,63}-[0-9a-f]{16}",
    ),
    "verification": EvaluationEntry(
        f"{_HERE}.pair_verification:PairVerification",
        trained=True,
        embedder=True,
        untrained_row="",
        form="verification:<pairs>-<seed>",
        options=_PAIRS,
    ),
    LISTED_PAIRS: EvaluationEntry(
        f"{_HERE}.listed_pairs:ListedPairVerification",
        trained=True,
        embedder=True,
        untrained_row="",
        form="listed_pairs:<list>-<digest>",
        options=r"[a-z0-9][a-z0-9_.]{0,63}-[0-9a-f]{16}",
    ),
    "calibration": EvaluationEntry(
        f"{_HERE}.distance_calibration:DistanceCalibration",
        trained=True,
        embedder=True,
        untrained_row="",
        form="calibration:<pairs>-<seed>",
        options=_PAIRS,
    ),
    CORRUPTED: EvaluationEntry(
        f"{_HERE}.corrupted:Corrupted",
        trained=True,
        embedder=True,
        untrained_row="",
        form="corrupted:<kind>-<severity>",
        options=rf"(?:{'|'.join(CORRUPTIONS)})-[0-5]",
    ),
}
"""Name, without options → entry."""

ALWAYS = tuple(name for name, entry in MENU.items() if not entry.form)
"""The evaluations of every study."""

TRAINED = tuple(name for name in ALWAYS if MENU[name].trained)
"""Those of trained models."""

FORMS = tuple(entry.form or name for name, entry in MENU.items())
"""How each is named."""

UNTRAINED_ROWS = {MENU[name].untrained_row: name for name in ALWAYS}
"""Label of an untrained row of every study → its evaluation."""


def untrained_rows(evaluations: Iterable[str]) -> dict[str, str]:
    """Label of an untrained row → its evaluation: those of every study, and the foundations that are named.

    >>> untrained_rows(["foundation:dinov2-0123456789abcdef"])["frozen dinov2"]
    'foundation:dinov2-0123456789abcdef'
    """
    named = [name for name in evaluations if is_foundation(name)]
    return UNTRAINED_ROWS | {f"frozen {_label(name)}": name for name in named}


def is_foundation(name: str) -> bool:
    """Whether an evaluation is that of a foundation model."""
    return name.partition(":")[0] == FOUNDATION


def _label(name: str) -> str:
    return name.partition(":")[2].rpartition("-")[0]


def entry_of(name: str) -> EvaluationEntry | None:
    """The entry of an evaluation by its name with options; None where it is unknown or its options are."""
    kind, colon, options = name.partition(":")
    entry = MENU.get(kind)
    if entry is None or bool(colon) is not bool(entry.form):
        return None
    return entry if re.fullmatch(entry.options, options) else None


def pair_list_in(name: str) -> tuple[str, str] | None:
    """The list and the digest of its content in an evaluation of listed pairs; None for any other.

    >>> pair_list_in("listed_pairs:lfw-0123456789abcdef")
    ('lfw', '0123456789abcdef')
    """
    evaluation, _, options = name.partition(":")
    known, _, content = options.rpartition("-")
    return (known, content) if evaluation == LISTED_PAIRS else None


def corruption_in(name: str) -> str | None:
    """Kind and severity of an evaluation of corrupted images; None for any other.

    >>> corruption_in("corrupted:gaussian-3")
    'gaussian-3'
    """
    evaluation, _, options = name.partition(":")
    return options if evaluation == CORRUPTED else None


def pairs_and_seed(options: str) -> tuple[int, int]:
    """The number of pairs and the seed in the options of an evaluation of pairs.

    >>> pairs_and_seed("3000-0")
    (3000, 0)
    """
    pairs, _, seed = options.partition("-")
    return int(pairs), int(seed)


ACCURACY, EER = "verification_accuracy", "equal_error_rate"
"""Names in records of what `verification` measures, beside those of `ROC`."""

ROC = {far: f"tar_at_far_{far:.3g}" for far in (float(f"{10 ** (step / 8 - 3):.3g}") for step in range(25))}
"""False accept rate → the name of the true accept rate at it, from 0.001 to 1, eight for each power of ten."""

SPREAD, OWN, COMMON = "threshold_spread", "own_threshold_accuracy", "common_threshold_accuracy"
"""Names in records of what `calibration` measures, beside those of `PLACES`."""

PLACES = {step / 20: f"threshold_place_{step / 20:.2f}" for step in range(21)}
"""Share of the classes → the name of the place that the best thresholds of as many do not exceed."""
