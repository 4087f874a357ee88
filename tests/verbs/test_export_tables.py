"""Tables and TensorBoard's files hold what the records say, and places that would be overwritten are refused."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal, Run, Score, of_type
from realitycheck.verbs.export_rows import FlatTable, exported_runs, flat_tables, gathered
from realitycheck.verbs.export_tensorboard import place_of


@pytest.fixture(scope="module")
def study(finished, tmp_path_factory):
    home = tmp_path_factory.mktemp("tables") / "home"
    shutil.copytree(finished.parents[1], home)
    return home / "studies" / finished.name


@pytest.fixture(scope="module")
def ledger(study):
    return Ledger(study.with_suffix(""))


@pytest.fixture(scope="module")
def tables(study, ledger) -> dict[str, FlatTable]:
    return {table.name: table for table in flat_tables(gathered(verbs.load_study(study), ledger))}


def lines(table: FlatTable) -> list[dict]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_every_trial_and_every_run_is_a_line(tables, ledger):
    records = ledger.records.values()
    proposals = {(one.loss, one.slot + 1): dict(one.knobs) for one in of_type(records, Proposal)}
    trials = lines(tables["trials"])
    assert {(one["loss"], one["trial"]): json.loads(one["knobs"]) for one in trials} == proposals
    assert sum(one["chosen"] for one in trials) == 2  # one search of two losses
    trained = {run.id: run for run in of_type(records, Run) if run.spec.loss}
    runs = lines(tables["runs"])
    assert {one["run"] for one in runs} == set(trained) and len(runs) == len(trained)
    assert all(one["map_at_r"] == trained[one["run"]].value for one in runs)
    assert {one["fold"] for one in runs} == {1, 2, None}
    points = {
        (run.id, point.iteration, name): value
        for run in trained.values()
        for point in run.curve
        for name, value in point.scores.items()
    }
    assert {(one["run"], one["iteration"], one["metric"]): one["value"] for one in lines(tables["curves"])} == points
    losses = [one for one in lines(tables["losses"]) if one["metric"] == "loss"]
    assert len(losses) == sum(len(run.training) for run in trained.values())


def test_scores_are_those_of_the_records(tables, ledger):
    """The complete model of each replicate, and the mean of its fold models."""
    clean = [one for one in of_type(ledger.records.values(), Score) if one.spec.evaluation == "clean"]
    whole = sorted(one.models[0]["cosine"].scores["map_at_r"] for one in clean if len(one.models) == 1)
    folds = sorted(
        sum(model["cosine"].scores["map_at_r"] for model in one.models) / 2 for one in clean if len(one.models) == 2
    )
    known = [
        one
        for one in lines(tables["scores"])
        if (one["evaluation"], one["distance"], one["metric"]) == ("clean", "cosine", "map_at_r")
    ]
    assert sorted(one["value"] for one in known if one["category"] == "complete") == pytest.approx(whole)
    assert sorted(one["value"] for one in known if one["category"] == "aggregate") == pytest.approx(folds)
    assert {one["row"] for one in known} == {"contrastive", "normalized_softmax", "untrained embedder"}
    assert "untrained trunk" in {one["row"] for one in lines(tables["scores"])}


def test_parquet_files_hold_the_tables(study, tables, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    written = verbs.export_study(study, parquet=tmp_path / "tables")
    assert sorted(path.name for path in written) == [f"{name}.parquet" for name in sorted(tables)]
    for path in written:
        read, table = parquet.read_table(path), tables[path.stem]
        assert {field.name: str(field.type) for field in read.schema} == dict(table.columns)
        assert read.to_pylist() == lines(table)


@pytest.mark.filterwarnings("default")  # of packages that TensorBoard loads
def test_tensorboard_reads_every_curve(study, ledger, tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    (folder,) = verbs.export_study(study, tensorboard=tmp_path / "board")
    (evidence,) = gathered(verbs.load_study(study), ledger)
    known = list(exported_runs(evidence))
    assert len({place_of(one) for one in known}) == len(known)
    for one in known:
        events = reader.EventAccumulator(str(folder / place_of(one))).Reload()
        tags = set(events.Tags()["scalars"])
        assert ("validation/map_at_r" in tags) is bool(one.run.curve)
        if one.run.curve:
            seen = [(event.step, event.value) for event in events.Scalars("validation/map_at_r")]
            wanted = [(point.iteration, pytest.approx(point.scores["map_at_r"], rel=1e-6)) for point in one.run.curve]
            assert seen == wanted
        shown = one.trial is not None and one.run.spec.fold == 0
        assert ("trial/map_at_r" in tags) is shown


@pytest.mark.parametrize(
    ("option", "made", "code"),
    [
        ("optuna", "missing/trials.db", "export-folder-missing"),
        ("parquet", "missing/tables", "export-folder-missing"),
        ("parquet", "kept", "export-exists"),
        ("tensorboard", "kept", "export-exists"),
        ("parquet", "tables", "export-package-missing"),
        ("tensorboard", "board", "export-package-missing"),
    ],
)
def test_a_place_or_a_package_that_does_not_serve_is_refused(study, tmp_path, monkeypatch, option, made, code):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine").write_text("mine")
    for package in ("pyarrow", "tensorboard"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError) as refused:
        verbs.export_study(study, **{option: tmp_path / made})
    assert [problem.code for problem in refused.value.problems] == [code]
    assert {path.name for path in tmp_path.iterdir()} == {"kept"}
