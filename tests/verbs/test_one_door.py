"""The test half has one door: no job but those after the opening is given it, and a training opens no file of it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, fields, replace

import pytest
from small_study import write_study

from realitycheck import verbs
from realitycheck.executors.base import unheard
from realitycheck.executors.inline import InlineExecutor
from realitycheck.plan.specs import DatasetPlan
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Score, of_type
from realitycheck.runs import ScoringPlace, TrainingPlace
from realitycheck.search import schedule
from realitycheck.stores.open import open_store
from realitycheck.training import single_run
from realitycheck.verbs import run as run_verb

STAND_INS = {
    "proposal": "standins:propose",
    "selection": "realitycheck.search.posterior_mean:select",
    "run": "standins:run",
    "score": "standins:score",
    "neighbors": "standins:neighbors",
}


class Recorder(InlineExecutor):
    """Keeps the JSON of everything that it is asked."""

    def __init__(self) -> None:
        super().__init__(device=None)
        self.asked: list[tuple[str, str]] = []

    def submit(self, job, *, address):
        self.asked.append((job.kind, json.dumps(asdict(job))))
        super().submit(job, address=address)


@pytest.fixture
def read(tmp_path):
    return verbs.load_study(write_study(tmp_path))


def leaks(read) -> set[str]:
    """Kinds of the jobs before the opening that were given a path of the test store or the digest of the test half."""
    (stores,) = verbs.prepare_data(read).values()
    place = f"{stores.test.parent.name}/{stores.test.name}"  # however the path to it is written
    executor = Recorder()
    verbs.carry_out(read, executor=executor, device="cpu", reuse=(), watch=lambda *_: None, verbs=STAND_INS)
    given = {kind for kind, text in executor.asked if place in text or stores.test_digest in text}
    assert {kind for kind, _ in executor.asked} == {"proposal", "run", "score", "neighbors"}
    assert {"score", "neighbors"} <= given, "the search for leaks finds what is there"
    return given - {"score", "neighbors"}


def test_no_job_before_the_opening_is_given_the_test_half(read):
    assert leaks(read) == set()
    records = Ledger(read.path.parent / "small").records.values()
    assert len(of_type(records, Score)) > 0, "a whole study, to its scores"


def test_a_place_with_a_test_half_is_found(read, monkeypatch):
    def place(runtime, job, *, device):
        stores = runtime.stores["pictures"]
        return asdict(ScoringPlace(str(stores.trainval), str(stores.test), str(runtime.cache), device))

    monkeypatch.setattr(run_verb._StudyRuntime, "place", place)
    assert leaks(read) == {"run"}


@pytest.mark.parametrize("name", ["_run_job", "proposal_jobs"])
def test_a_digest_of_the_test_half_is_found_wherever_it_is_hidden(read, monkeypatch, name):
    (stores,) = verbs.prepare_data(read).values()
    honest = getattr(schedule, name)

    def planted(*values, **named):
        jobs = honest(*values, **named)
        hide = {"hint": [{"of": stores.test_digest}]}
        if isinstance(jobs, list):
            return [replace(job, payload=job.payload | hide) for job in jobs]
        return replace(jobs, payload=jobs.payload | hide)

    monkeypatch.setattr(schedule, name, planted)
    assert leaks(read) == {"run" if name == "_run_job" else "proposal"}


def test_a_training_can_neither_name_nor_be_given_a_test_half():
    names = {"trainval", "cache", "device", "weights", "checkpoint_seconds", "graphs"}
    assert {field.name for field in fields(TrainingPlace)} == names
    body = {"trainval": "a", "cache": "b", "device": "cpu", "weights": None}
    assert TrainingPlace(**body).trainval == "a"
    with pytest.raises(TypeError, match="test"):
        TrainingPlace(**body, test="c")


OPENED: list[str] | None = None


def _hear(event: str, values: tuple[object, ...]) -> None:
    if OPENED is not None and event == "open" and isinstance(values[0], str):
        OPENED.append(values[0])


@pytest.fixture
def opened(monkeypatch):
    """Paths of the files that are opened from now on."""
    sys.addaudithook(_hear)  # there is no way to remove it
    paths: list[str] = []
    monkeypatch.setattr(sys.modules[__name__], "OPENED", paths)
    return paths


@pytest.fixture
def training(read):
    """The store of a test half, and the payload of one real training beside it."""
    (stores,) = verbs.prepare_data(read).values()
    plan = DatasetPlan(study=read.study, dataset="pictures", data=stores.trainval_digest, test=None)
    knobs = {"pos_margin": 0.0, "neg_margin": 1.0}
    spec = plan.losses[0].searches[0].replicate_runs(index=0, knobs=knobs)[0]
    place = TrainingPlace(str(stores.trainval), str(read.home / "cache"), "cpu", None)
    return stores.test, {"spec": spec.to_json(), "place": asdict(place), "keep": False}


def test_a_training_opens_no_file_of_the_test_half(training, opened):
    test, payload = training
    single_run.run(payload, tell=unheard)
    assert any(path.startswith(payload["place"]["trainval"]) for path in opened)
    assert not [path for path in opened if path.startswith(str(test))]


def test_a_training_that_finds_its_own_way_to_the_test_half_is_found(training, opened, monkeypatch):
    test, payload = training
    honest = single_run.assemble

    def planted(spec, place):
        open_store(test.parent / place.trainval.rpartition("/")[2].replace("trainval", "test"))
        return honest(spec, place)

    monkeypatch.setattr(single_run, "assemble", planted)
    single_run.run(payload, tell=unheard)
    assert [path for path in opened if path.startswith(str(test))]
