"""The official layouts, small: three images of each of four classes, as the authors' archives lay them out."""

from __future__ import annotations

import csv
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from realitycheck.datasets.members.caltech101 import Caltech101
from realitycheck.datasets.members.cars196 import Cars196
from realitycheck.datasets.members.csv import Csv
from realitycheck.datasets.members.cub200 import Cub200
from realitycheck.datasets.members.folder import Folder
from realitycheck.datasets.members.grocery_store import GroceryStore
from realitycheck.datasets.members.inshop import InShop
from realitycheck.datasets.members.sop import Sop
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Counts
from realitycheck.errors import InputError

CLASSES, EACH = 4, 3
PLAIN = Counts(CLASSES, CLASSES * EACH, None)
HALVES = Counts(CLASSES, CLASSES * EACH, (2, 2))


class SmallCub(Cub200):
    counts = PLAIN


class SmallCars(Cars196):
    counts = PLAIN


class SmallSop(Sop):
    counts = HALVES


class SmallInShop(InShop):
    counts = HALVES


class SmallGrocery(GroceryStore):
    counts = PLAIN


class SmallCaltech(Caltech101):
    counts = PLAIN
    names = ("ant", "bass", "crab", "emu")


@dataclass(frozen=True)
class Layout:
    """How a layout is written and read: `image` is the path of image 0, `labels` those of all twelve, in order."""

    opens: type[FileDataset]
    write: Callable[[Path], Path]
    image: str
    labels: tuple[int, ...]
    official: tuple[tuple[int, ...], tuple[int, ...]] | None = None


ONE_BY_ONE = (0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3)


def paint(path: Path, number: int) -> None:
    """A photo of noise, 40×30 or 30×40, so that no two files are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (30, 40, 3) if number % 2 else (40, 30, 3)
    noise = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(noise).save(path)


def lines(path: Path, *text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text) + "\n", encoding="utf-8")


def png_header(path: Path, width: int, height: int) -> None:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def write_cub(tmp: Path) -> Path:
    root = tmp / "CUB_200_2011"
    birds = ["001.Albatross", "002.Auklet", "003.Blackbird", "004.Bunting"]
    names = [f"{bird}/{bird[4:]}_{number:04d}.jpg" for bird in birds for number in range(EACH)]
    for number, name in enumerate(names):
        paint(root / "images" / name, number)
    lines(root / "classes.txt", *(f"{place} {bird}" for place, bird in enumerate(birds, 1)))
    lines(root / "images.txt", *(f"{place} {name}" for place, name in enumerate(names, 1)))
    lines(root / "image_class_labels.txt", *(f"{place} {(place - 1) // EACH + 1}" for place in range(1, 13)))
    lines(root / "README", "no list")
    return root


CARS = np.array(["AM General", "Acura RL", "Acura TL", "smart"], dtype=object)


def write_cars(tmp: Path) -> Path:
    """The one-list form; its images are not ordered by class."""
    root = tmp / "cars"
    kinds = [("relative_im_path", object), ("bbox_x1", object), ("class", object), ("test", object)]
    rows = [(f"car_ims/{place + 1:06d}.jpg", 1, place % CLASSES + 1, place % 2) for place in range(12)]
    for number, row in enumerate(rows):
        paint(root / row[0], number)
    savemat(root / "cars_annos.mat", {"annotations": np.array([rows], dtype=kinds), "class_names": CARS[None]})
    return root


def write_devkit(tmp: Path) -> Path:
    """The form with two lists, the first six images for training."""
    root = tmp / "cars"
    kinds = [("bbox_x1", object), ("class", object), ("fname", object)]
    devkit = root / "devkit"
    devkit.mkdir(parents=True)
    for folder, file, first in (
        ("cars_train", devkit / "cars_train_annos.mat", 0),
        ("cars_test", root / "cars_test_annos_withlabels.mat", 6),
    ):
        rows = [(1, (first + place) % CLASSES + 1, f"{place + 1:05d}.jpg") for place in range(6)]
        for place, row in enumerate(rows):
            paint(root / folder / row[2], first + place)
        savemat(file, {"annotations": np.array([rows], dtype=kinds)})
    savemat(devkit / "cars_meta.mat", {"class_names": CARS[None]})
    return root


def write_sop(tmp: Path) -> Path:
    root = tmp / "Stanford_Online_Products"
    head = "image_id class_id super_class_id path"
    rows = [f"{n + 1} {n // EACH + 1} 1 {('bicycle', 'chair')[n // 6]}_final/{n}_0.JPG" for n in range(12)]
    for number, row in enumerate(rows):
        paint(root / row.split()[3], number)
    lines(root / "Ebay_train.txt", head, *rows[:6])
    lines(root / "Ebay_test.txt", head, *rows[6:])
    return root


def write_inshop(tmp: Path) -> Path:
    """Item ids leave gaps, and the test items are not the last ones."""
    root = tmp / "In-shop"
    items = {"id_00000001": "train", "id_00000002": "query", "id_00000005": "train", "id_00000007": "query"}
    sides = {"train": ("train", "train", "train"), "query": ("query", "query", "gallery")}
    rows = [
        f"img/WOMEN/Dresses/{item}/0{place}_1_front.jpg {item} {status}"
        for item, side in items.items()
        for place, status in enumerate(sides[side])
    ]
    for number, row in enumerate(rows):
        paint(root / "Img" / row.split()[0], number)
    lines(root / "Eval" / "list_eval_partition.txt", "12", "image_name item_id evaluation_status", *rows)
    return root


def write_grocery(tmp: Path) -> Path:
    """One image of each class on every list."""
    root = tmp / "dataset"
    goods = ["Apple", "Kiwi", "Juice", "Milk"]
    for place, side in enumerate(("train", "val", "test")):
        rows = [f"{side}/Fruit/{name}/{name}_{place:03d}.jpg, {label}, 0" for label, name in enumerate(goods)]
        for number, row in enumerate(rows):
            paint(root / row.split(",")[0], CLASSES * place + number)
        lines(root / f"{side}.txt", *rows)
    head = "Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int)"
    lines(root / "classes.csv", head, *(f"{name},{label},Fruit,0\r" for label, name in enumerate(goods)))
    paint(root / "iconic-images-and-descriptions" / "Fruit" / "Apple" / "Apple_Iconic.jpg", 99)
    return root


def write_folders(tmp: Path) -> Path:
    root = tmp / "101_ObjectCategories"
    for label, name in enumerate(SmallCaltech.names):
        for place in range(EACH):
            paint(root / name / f"image_{place + 1:04d}.jpg", EACH * label + place)
    return root


def write_caltech(tmp: Path) -> Path:
    root = write_folders(tmp)
    paint(root / "BACKGROUND_Google" / "image_0001.jpg", 99)
    lines(root / "BACKGROUND_Google" / "tmp", "a stray file of the archive")
    return root


def write_csv(tmp: Path) -> Path:
    """Labels are numbers: 10 comes after 9."""
    root = write_folders(tmp).rename(tmp / "mine")
    names = dict(zip(SmallCaltech.names, ("10", "7", "8", "9"), strict=True))
    with (root / "split.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["note", "path", "label", "split"])
        for path in sorted(root.rglob("*.jpg")):
            label = names[path.parent.name]
            side = "test" if label in ("7", "10") else "trainval"
            writer.writerow(["a, b", path.relative_to(root).as_posix(), label, side])
    return root / "split.csv"


LAYOUTS: dict[str, Layout] = {
    "cub200": Layout(SmallCub, write_cub, "images/001.Albatross/Albatross_0000.jpg", ONE_BY_ONE),
    "cars196": Layout(SmallCars, write_cars, "car_ims/000001.jpg", (0, 1, 2, 3) * 3),
    "devkit": Layout(SmallCars, write_devkit, "cars_train/00001.jpg", (0, 1, 2, 3) * 3),
    "sop": Layout(SmallSop, write_sop, "bicycle_final/0_0.JPG", ONE_BY_ONE, ((0, 1), (2, 3))),
    "inshop": Layout(
        SmallInShop, write_inshop, "Img/img/WOMEN/Dresses/id_00000001/00_1_front.jpg", ONE_BY_ONE, ((0, 2), (1, 3))
    ),
    "grocery_store": Layout(SmallGrocery, write_grocery, "train/Fruit/Apple/Apple_000.jpg", (0, 1, 2, 3) * 3),
    "caltech101": Layout(SmallCaltech, write_caltech, "ant/image_0001.jpg", ONE_BY_ONE),
    "folder": Layout(Folder, write_folders, "ant/image_0001.jpg", ONE_BY_ONE),
    "csv": Layout(Csv, write_csv, "ant/image_0001.jpg", (3, 3, 3, 0, 0, 0, 1, 1, 1, 2, 2, 2), ((1, 2), (0, 3))),
}


def refusal(layout: Layout, root: Path) -> InputError:
    """The error of a damaged layout, when it is opened or when its images are read."""
    with pytest.raises(InputError) as caught:
        dataset = layout.opens(root=str(root))
        list(dataset.images(range(len(dataset.labels)), size=16))
    return caught.value
