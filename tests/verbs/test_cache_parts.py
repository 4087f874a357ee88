"""`clean` frees the cache and leaves the evidence."""

from __future__ import annotations

import json
import shutil

import pytest

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.records.leases import Leases
from realitycheck.records.ledger import Ledger


@pytest.fixture
def study(finished, tmp_path):
    shutil.copytree(finished.parents[1], tmp_path / "home")
    path = tmp_path / "home" / "studies" / finished.name
    for part in ("weights", "checkpoints"):
        (path.parent / "small" / "cache" / part).mkdir(exist_ok=True)
        (path.parent / "small" / "cache" / part / "x.safetensors").write_bytes(bytes(1000))
    return path


@pytest.mark.parametrize(
    ("everything", "kept"), [(False, {"weights": 1000, "checkpoints": 1000}), (True, {"weights": 0, "checkpoints": 0})]
)
def test_the_stores_go_and_the_records_stay(study, everything, kept):
    before, digest = verbs.cache_sizes(study), Ledger(study.parent / "small").digest
    assert before["stores"] > 8 * 4 * 3 * 28 * 28  # the pixels of one half
    freed = verbs.clean_study(study, everything=everything)
    assert freed["stores"] == before["stores"]
    assert verbs.cache_sizes(study) == {"stores": 0, **kept}
    assert Ledger(study.parent / "small").digest == digest


def test_the_stores_are_made_again(study):
    before = verbs.cache_sizes(study)["stores"]
    verbs.clean_study(study, everything=False)
    verbs.check_study(study)
    assert verbs.cache_sizes(study)["stores"] == before


def test_nothing_is_deleted_under_a_run(study):
    """Its lease says so; that of a process that has ended does not."""
    leases = Leases(study.parent / "small")
    assert leases.take("0" * 64, title="pictures/contrastive: trial 1")
    before = verbs.cache_sizes(study)
    with pytest.raises(InputError) as caught:
        verbs.clean_study(study, everything=False)
    assert [problem.code for problem in caught.value.problems] == ["study-at-work"]
    assert verbs.cache_sizes(study) == before
    lease = next((study.parent / "small" / "leases").glob("*.json"))
    lease.write_text(json.dumps({**json.loads(lease.read_text()), "process": 2**22 + 1}))
    assert verbs.clean_study(study, everything=False)["stores"] == before["stores"]
    leases.close()


def test_a_study_without_a_cache_has_nothing_to_delete(tmp_path):
    (tmp_path / "new.yaml").touch()
    assert verbs.clean_study(tmp_path / "new.yaml", everything=True) == {"stores": 0, "weights": 0, "checkpoints": 0}


def test_a_wrong_path_is_named(tmp_path):
    with pytest.raises(InputError) as caught:
        verbs.clean_study(tmp_path / "none.yaml", everything=True)
    assert [problem.code for problem in caught.value.problems] == ["study-missing"]
