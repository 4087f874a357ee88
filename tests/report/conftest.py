from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_records import diverge
from synthetic import make_dataset, make_opening, make_study

from realitycheck.protocol.model import Study
from realitycheck.records.evidence import DatasetEvidence, LossEvidence


@pytest.fixture(scope="session")
def study() -> Study:
    """Three losses, four seeds, six trials."""
    return make_study(labels=("contrastive", "circle", "soft_triple"), seeds=4, trials=6)


@pytest.fixture(scope="session")
def dataset(study) -> DatasetEvidence:
    return make_dataset(study)


@pytest.fixture
def edit() -> Callable[..., DatasetEvidence]:
    """`edit(dataset, circle=function)`: the evidence with that loss replaced by the function's answer."""

    def apply(evidence: DatasetEvidence, **changes: Callable[[LossEvidence], LossEvidence]) -> DatasetEvidence:
        losses = tuple(changes.get(loss.label, lambda same: same)(loss) for loss in evidence.losses)
        return replace(evidence, losses=losses)

    return apply


@pytest.fixture(scope="session")
def synthetic_study() -> Callable[..., Study]:
    return make_study


@pytest.fixture(scope="session")
def synthetic_dataset() -> Callable[..., DatasetEvidence]:
    return make_dataset


@pytest.fixture
def synthetic() -> SimpleNamespace:
    """The makers, for tests that need another study."""
    return SimpleNamespace(make_study=make_study, make_dataset=make_dataset, make_opening=make_opening, diverge=diverge)


@pytest.fixture
def texts() -> Callable[[Path], Mapping[str, bytes]]:
    """Every file below a folder, by its relative path."""

    def read(folder: Path) -> Mapping[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    return read
