"""Two processes that prepare one store: the parts of the slower one vanish when the faster one is done."""

from __future__ import annotations

import shutil

import pytest
from small_study import write_study

from realitycheck import verbs
from realitycheck.protocol.read import read_study
from realitycheck.stores import prepare
from realitycheck.stores.decode_parts import Decoding


@pytest.mark.parametrize("after", ["decode", "digests", "sizes"])
def test_the_slower_one_takes_the_store_of_the_faster_one(tmp_path, monkeypatch, after):
    done = verbs.prepare_data(read_study(write_study(tmp_path / "faster")))["pictures"]
    study = read_study(write_study(tmp_path / "slower"))
    honest = getattr(Decoding, after)

    def overtaken(self, **knobs):
        answer = honest(self, **knobs)
        for path in self.folder.parent.glob("*.parts"):
            shutil.rmtree(path)
        for path in done.trainval.parent.iterdir():
            shutil.copy(path, self.folder.parent)
        return answer

    monkeypatch.setattr(prepare.Decoding, after, overtaken)
    (tmp_path / "faster" / "pictures").rename(tmp_path / "gone")
    stores = verbs.prepare_data(study)["pictures"]
    assert (stores.trainval_digest, stores.test_digest) == (done.trainval_digest, done.test_digest)
    assert not list(stores.trainval.parent.glob("*.parts"))
