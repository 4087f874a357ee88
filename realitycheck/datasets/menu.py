"""The menu of datasets: what the house says of each, readable without its images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """What the house says of one dataset.

    Args:
        address: `module:Class` of the dataset.
        needs_root: whether a study must name the folder (or file) that holds its images.
        title: what it shows.
        classes: how many; None where anything may be there.
        images: how many; None where anything may be there.
        terms: licence or terms of use, in a word or two.
        layout: what the root must be and hold, in one line.
        where: where to get it.
    """

    address: str
    needs_root: bool
    title: str
    classes: int | None
    images: int | None
    terms: str
    layout: str
    where: str


_HERE = "realitycheck.datasets.members"

MENU: dict[str, Entry] = {
    "sketches": Entry(
        f"{_HERE}.sketches:Sketches",
        needs_root=False,
        title="human drawings of 345 things, 28×28 pixels (Quick, Draw!)",
        classes=345,
        images=34_500,
        terms="CC BY 4.0",
        layout="nothing: it comes with the package",
        where="the package",
    ),
    "few_sketches": Entry(
        f"{_HERE}.few_sketches:FewSketches",
        needs_root=False,
        title="every third class of the sketches",
        classes=115,
        images=11_500,
        terms="CC BY 4.0",
        layout="nothing: it comes with the package",
        where="the package",
    ),
    "cub200": Entry(
        f"{_HERE}.cub200:Cub200",
        needs_root=True,
        title="birds of 200 species (CUB-200-2011)",
        classes=200,
        images=11_788,
        terms="non-commercial research and education",
        layout="CUB_200_2011/ with images.txt, image_class_labels.txt, classes.txt and images/",
        where="https://data.caltech.edu/records/65de6-vp158",
    ),
    "cars196": Entry(
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
    "sop": Entry(
        f"{_HERE}.sop:Sop",
        needs_root=True,
        title="things sold on eBay (Stanford Online Products)",
        classes=22_634,
        images=120_053,
        terms="none stated; research use",
        layout="Stanford_Online_Products/ with Ebay_train.txt, Ebay_test.txt and twelve folders of photos",
        where="https://cvgl.stanford.edu/projects/lifted_struct/",
    ),
    "inshop": Entry(
        f"{_HERE}.inshop:InShop",
        needs_root=True,
        title="clothes in a shop's photos (DeepFashion, In-Shop Clothes Retrieval)",
        classes=7_982,
        images=52_712,
        terms="non-commercial research, by agreement",
        layout="a folder with Eval/list_eval_partition.txt and Img/img/",
        where="https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion/InShopRetrieval.html",
    ),
    "grocery_store": Entry(
        f"{_HERE}.grocery_store:GroceryStore",
        needs_root=True,
        title="fruit, vegetables and packages in shops (Grocery Store Dataset)",
        classes=81,
        images=5_421,
        terms="MIT",
        layout="dataset/ with classes.csv, train.txt, val.txt, test.txt, train/, val/ and test/",
        where="https://github.com/marcusklasson/GroceryStoreDataset",
    ),
    "caltech101": Entry(
        f"{_HERE}.caltech101:Caltech101",
        needs_root=True,
        title="objects of 101 kinds (Caltech 101 without its background)",
        classes=101,
        images=8_677,
        terms="CC BY 4.0",
        layout="101_ObjectCategories/ with one folder per class",
        where="https://data.caltech.edu/records/mzrjq-6wc02",
    ),
    "quickdraw": Entry(
        f"{_HERE}.quickdraw:QuickDraw",
        needs_root=True,
        title="human drawings, 28×28 pixels: the first 100 of each class that is there (Quick, Draw! bitmaps)",
        classes=None,
        images=None,
        terms="CC BY 4.0",
        layout="a folder with <class>.npy files of numpy_bitmap, any of the 345",
        where="https://console.cloud.google.com/storage/browser/quickdraw_dataset/full/numpy_bitmap",
    ),
    "folder": Entry(
        f"{_HERE}.folder:Folder",
        needs_root=True,
        title="your own images, one folder per class",
        classes=None,
        images=None,
        terms="yours",
        layout="a folder with one sub-folder of images per class",
        where="your own disk",
    ),
    "csv": Entry(
        f"{_HERE}.csv:Csv",
        needs_root=True,
        title="your own images, with or without your own split",
        classes=None,
        images=None,
        terms="yours",
        layout="a CSV file with columns path, label and, if wanted, split (train, trainval or test)",
        where="your own disk",
    ),
}
"""Name → entry. A study may use any other class by its address."""
