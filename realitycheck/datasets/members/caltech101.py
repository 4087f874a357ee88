"""Caltech 101: objects of 101 kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from realitycheck.datasets.reading.class_folders import class_folders
from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Counts
from realitycheck.errors import InputError, Problem, first_few

BACKGROUND = "BACKGROUND_Google"
"""The 102nd folder, with unrelated results of an image search. It is not a class."""

NAMES = (
    *("Faces", "Faces_easy", "Leopards", "Motorbikes", "accordion", "airplanes"),
    *("anchor", "ant", "barrel", "bass", "beaver", "binocular"),
    *("bonsai", "brain", "brontosaurus", "buddha", "butterfly", "camera"),
    *("cannon", "car_side", "ceiling_fan", "cellphone", "chair", "chandelier"),
    *("cougar_body", "cougar_face", "crab", "crayfish", "crocodile", "crocodile_head"),
    *("cup", "dalmatian", "dollar_bill", "dolphin", "dragonfly", "electric_guitar"),
    *("elephant", "emu", "euphonium", "ewer", "ferry", "flamingo"),
    *("flamingo_head", "garfield", "gerenuk", "gramophone", "grand_piano", "hawksbill"),
    *("headphone", "hedgehog", "helicopter", "ibis", "inline_skate", "joshua_tree"),
    *("kangaroo", "ketch", "lamp", "laptop", "llama", "lobster"),
    *("lotus", "mandolin", "mayfly", "menorah", "metronome", "minaret"),
    *("nautilus", "octopus", "okapi", "pagoda", "panda", "pigeon"),
    *("pizza", "platypus", "pyramid", "revolver", "rhino", "rooster"),
    *("saxophone", "schooner", "scissors", "scorpion", "sea_horse", "snoopy"),
    *("soccer_ball", "stapler", "starfish", "stegosaurus", "stop_sign", "strawberry"),
    *("sunflower", "tick", "trilobite", "umbrella", "watch", "water_lilly"),
    *("wheelchair", "wild_cat", "windsor_chair", "wrench", "yin_yang"),
)
"""Sorted names of the class folders; `water_lilly` is the archive's spelling."""


class Caltech101(FileDataset):
    """Caltech 101 (Fei-Fei et al., 2004) without its background folder; classes are the sorted folders.

    With the background there would be 9,144 images in 102 folders. `Faces` and `Faces_easy` show the same people with
    different framing.

    Args:
        root: the folder `101_ObjectCategories`.

    Raises:
        InputError: if classes or images are missing, unexpected or not as published.
    """

    credit = "Caltech 101: Li, Andreeto, Ranzato and Perona, CaltechDATA, 2022 (CC BY 4.0)."
    counts: ClassVar[Counts | None] = Counts(classes=101, images=8_677, official=None)
    names: ClassVar[tuple[str, ...]] = NAMES

    def __init__(self, *, root: str) -> None:
        folder = needed_folder(root, layout="one sub-folder of images per class")
        scan = class_folders(folder, skip=frozenset({BACKGROUND}), exclude=())
        if problems := [*scan.problems, *_class_problems(scan.classes, self.names)]:
            raise InputError(root, problems)
        super().__init__(folder, scan.listing)


def _class_problems(classes: tuple[str, ...], names: tuple[str, ...]) -> Iterator[Problem]:
    if missing := sorted(set(names) - set(classes)):
        yield Problem(0, first_few(missing), "missing class folder; extract the archive again.", "class-missing")
    if extra := sorted(set(classes) - set(names)):
        yield Problem(0, first_few(extra), "unknown class of Caltech 101. Remove the folder.", "class-unknown")
