"""The menu of datasets, readable without their images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """A dataset of the menu.

    Args:
        address: `module:Class` of the dataset.
        needs_root: whether a study must name the folder (or file) that holds the images.
        title: short description.
        classes: number of classes; None if it is not fixed.
        images: number of images; None if it is not fixed.
        terms: licence or terms of use, in a few words.
        layout: expected contents of the root, in one line.
        where: where to get it.
        excludes: whether a study may leave out parts of it by patterns.
    """

    address: str
    needs_root: bool
    title: str
    classes: int | None
    images: int | None
    terms: str
    layout: str
    where: str
    excludes: bool = False


_HERE = "realitycheck.datasets.members"

MENU: dict[str, DatasetEntry] = {
    "sketches": DatasetEntry(
        f"{_HERE}.sketches:Sketches",
        needs_root=False,
        title="human drawings of 345 things, 28×28 pixels (Quick, Draw!)",
        classes=345,
        images=34_500,
        terms="CC BY 4.0",
        layout="none needed: ships with the package",
        where="the package",
    ),
    "few_sketches": DatasetEntry(
        f"{_HERE}.few_sketches:FewSketches",
        needs_root=False,
        title="every third class of the sketches",
        classes=115,
        images=11_500,
        terms="CC BY 4.0",
        layout="none needed: ships with the package",
        where="the package",
    ),
    "cub200": DatasetEntry(
        f"{_HERE}.cub200:Cub200",
        needs_root=True,
        title="birds of 200 species (CUB-200-2011)",
        classes=200,
        images=11_788,
        terms="non-commercial research and education",
        layout="CUB_200_2011/ with images.txt, image_class_labels.txt, classes.txt and images/",
        where="https://data.caltech.edu/records/65de6-vp158",
    ),
    "cars196": DatasetEntry(
        f"{_HERE}.cars196:Cars196",
        needs_root=True,
        title="cars of 196 models (Stanford Cars)",
        classes=196,
        images=16_185,
        terms="non-commercial research",
        layout=(
            "a folder with cars_annos.mat and car_ims/, or with devkit/, cars_train/, cars_test/ and "
            "cars_test_annos_withlabels.mat"
        ),
        where="a mirror: the authors' page, ai.stanford.edu/~jkrause/cars/car_dataset.html, no longer has it",
    ),
    "sop": DatasetEntry(
        f"{_HERE}.sop:Sop",
        needs_root=True,
        title="products sold on eBay (Stanford Online Products)",
        classes=22_634,
        images=120_053,
        terms="none stated; research use",
        layout="Stanford_Online_Products/ with Ebay_train.txt, Ebay_test.txt and twelve folders of photos",
        where="https://cvgl.stanford.edu/projects/lifted_struct/",
    ),
    "inshop": DatasetEntry(
        f"{_HERE}.inshop:InShop",
        needs_root=True,
        title="clothes in shop photos (DeepFashion, In-Shop Clothes Retrieval)",
        classes=7_982,
        images=52_712,
        terms="non-commercial research, by agreement",
        layout="a folder with Eval/list_eval_partition.txt and Img/img/",
        where="https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion/InShopRetrieval.html",
    ),
    "grocery_store": DatasetEntry(
        f"{_HERE}.grocery_store:GroceryStore",
        needs_root=True,
        title="fruit, vegetables and packages in shops (Grocery Store Dataset)",
        classes=81,
        images=5_421,
        terms="MIT",
        layout="dataset/ with classes.csv, train.txt, val.txt, test.txt, train/, val/ and test/",
        where="https://github.com/marcusklasson/GroceryStoreDataset",
    ),
    "caltech101": DatasetEntry(
        f"{_HERE}.caltech101:Caltech101",
        needs_root=True,
        title="objects of 101 kinds (Caltech 101 without its background)",
        classes=101,
        images=8_677,
        terms="CC BY 4.0",
        layout="101_ObjectCategories/ with one folder per class",
        where="https://data.caltech.edu/records/mzrjq-6wc02",
    ),
    "quickdraw": DatasetEntry(
        f"{_HERE}.quickdraw:QuickDraw",
        needs_root=True,
        title="human drawings, 28×28 pixels: the first 100 of each class present (Quick, Draw! bitmaps)",
        classes=None,
        images=None,
        terms="CC BY 4.0",
        layout="a folder with <class>.npy files of numpy_bitmap, any of the 345",
        where="https://console.cloud.google.com/storage/browser/quickdraw_dataset/full/numpy_bitmap",
    ),
    "folder": DatasetEntry(
        f"{_HERE}.folder:Folder",
        needs_root=True,
        title="your own images, one folder per class",
        classes=None,
        images=None,
        terms="yours",
        layout="a folder with one sub-folder of images per class",
        where="your own disk",
        excludes=True,
    ),
    "csv": DatasetEntry(
        f"{_HERE}.csv:Csv",
        needs_root=True,
        title="your own images, with or without your own split",
        classes=None,
        images=None,
        terms="yours",
        layout="a CSV file with columns path, label and, optionally, split (train, trainval or test)",
        where="your own disk",
    ),
}
"""Name → entry. A study can use any other class by its address."""
