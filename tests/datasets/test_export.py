"""An exported split is read back unchanged."""

import numpy as np
import pytest
from layouts import LAYOUTS

from realitycheck.datasets.export_split import export_split
from realitycheck.datasets.members.csv import Csv
from realitycheck.errors import InputError


@pytest.fixture
def cars(tmp_path):
    layout = LAYOUTS["cars196"]
    return layout.opens(root=str(layout.write(tmp_path)))


@pytest.mark.parametrize("above", [False, True])
def test_round_trip(cars, above):
    """Classes 3 and 0 against 1; class 2 is left out."""
    path = (cars.root.parent if above else cars.root) / "split.csv"
    export_split(cars, trainval=[3, 0], test=[1], path=path)
    head, first, *_ = path.read_text().splitlines()
    assert (head, first) == ("path,label,split", f"{'cars/' if above else ''}car_ims/000004.jpg,smart,trainval")
    again = Csv(root=str(path))
    assert again.classes == ("AM General", "Acura RL", "smart")
    assert again.official == ((0, 2), (1,))
    indices = [3, 7, 11, 0, 4, 8, 1, 5, 9]
    assert again.digests(range(9)) == cars.digests(indices)
    assert [again.classes[label] for label in again.labels] == [cars.classes[cars.labels[index]] for index in indices]


def test_what_cannot_be_written_is_refused(cars, tmp_path):
    (cars.root / "there.csv").touch()
    (tmp_path / "beside").mkdir()
    for path, trainval, test, code in (
        ("there.csv", [0], [1], "file-exists"),
        ("new.csv", [0, 1], [1, 2], "class-duplicate"),
        ("new.csv", [0], [4], "class-index-range"),
        ("../beside/new.csv", [0], [1], "file-location"),
        ("car_ims/new.csv", [0], [1], "file-location"),
    ):
        with pytest.raises(InputError) as caught:
            export_split(cars, trainval=trainval, test=test, path=cars.root / path)
        assert [problem.code for problem in caught.value.problems] == [code]
    assert not list(tmp_path.rglob("new.csv"))


def test_labels_of_letters_are_sorted_as_text(tmp_path, cars):
    (cars.root / "mine.csv").write_text(
        "path,label\ncar_ims/000001.jpg,10\ncar_ims/000002.jpg,9\ncar_ims/000003.jpg,a\n"
    )
    dataset = Csv(root=str(cars.root / "mine.csv"))
    assert dataset.classes == ("10", "9", "a")
    assert dataset.official is None
    assert np.array_equal(dataset.labels, [0, 1, 2])
