"""`check` lists all problems of a study at once, across files and layers, and nothing twice."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from homes import refused
from small_study import PROTOCOL, SPACES, STUDY, write_study

from realitycheck import verbs
from realitycheck.errors import InputError, Problem

STUDY_FAULTS = """\
study: small
question: 3
qestion: Which is best?
protocol: tiny
datasets:
  pictures: {dataset: folder, root: ../pictures}
  sketchs: {}
losses:
  contrastive: {margin: 1}
  triplet: {}
  multi_simlarity: {}
  softmax:
    loss: normalized_softmax
    space:
      temprature: 0.1
      loss_lr: {log_uniform: [0, 1]}
  circle:
    loss: pytorch_metric_learning.losses:CircleLoss
    distance: cosine
    family: pair
    space: {m: {uniform: [0, 1]}, gama: 3}
baseline: multi_simlarity
baseline: triplet
primary: {category: complete, metric: &a map_at_r}
smallest_difference: "1e-4"
"""

PROTOCOL_FAULTS = (
    ("seed: 7", "seed: '7'"),
    ("folds: {", "folds: {shufle: true, "),
    ("pooling: avg", "poling: avg"),
    ("pairs: {classes: 4,", "pairs: {classes: 5,"),
)

SPACES_FAULTS = (
    ("neg_margin: {uniform: [0.0, 2.0]}", "neg_margin: {uniform: [2.0, 0.0]}"),
    ("  margin: {", "  margn: {"),
)

ALL = [
    (2, "question", "type-wrong"),
    (3, "qestion", "key-unknown"),
    (4, "v1.yaml line 4  contrastive.neg_margin.uniform", "range-reversed"),
    (4, "tiny.yaml line 4  seed", "type-wrong"),
    (4, "tiny.yaml line 6  folds.shufle", "key-unknown"),
    (4, "tiny.yaml line 10  recipe.poling", "key-unknown"),
    (4, "tiny.yaml line 24  batches.pairs.classes", "batch-classes"),
    (4, "tiny.yaml line 24  batches.pairs.per_class", "batch-per-class"),
    (4, "tiny.yaml line 24  batches.proxies.per_class", "batch-per-class"),
    (6, "datasets.pictures", "class-too-small"),
    (7, "datasets.sketchs", "dataset-unknown"),
    (9, "losses.contrastive.margin", "key-unknown"),
    (10, "losses.triplet.space.margin", "knob-missing"),
    (10, "losses.triplet.space.margn", "knob-unknown"),
    (11, "losses.multi_simlarity", "loss-unknown"),
    (14, "losses.softmax.space.temperature", "knob-missing"),
    (15, "losses.softmax.space.temprature", "knob-unknown"),
    (16, "losses.softmax.space.loss_lr.log_uniform", "range-not-positive"),
    (20, "losses.circle.family", "value-unknown"),
    (21, "losses.circle.space.gama", "knob-unknown"),
    (23, "baseline", "key-duplicate"),
    (24, "primary.metric", "yaml-anchor"),
    (25, "smallest_difference", "type-wrong"),
]
"""Line of the study's file, place (that of another file with its name and line), and code, in order."""


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    return text


def write(home: Path, *, study=(), protocol=(), spaces=()) -> Path:
    path = write_study(home, study=changed(STUDY, *study), protocol=changed(PROTOCOL, *protocol))
    (home / "protocols" / "spaces" / "v1.yaml").write_text(changed(SPACES, *spaces))
    return path


def place(problem: Problem) -> str:
    """Where a problem is; of one in another file, its name, line and place there."""
    if problem.where != "protocol" or ".yaml line " not in problem.says:
        return problem.where
    return problem.says[: problem.says.index(": ")].rpartition("/")[2]


def found(path: Path) -> list[tuple[int, str, str]]:
    """Line, place and code of every problem that `check` lists, in order."""
    return [(problem.line, place(problem), problem.code) for problem in refused(verbs.check_study, path)]


def codes(path: Path) -> list[str]:
    return sorted(problem.code for problem in refused(verbs.check_study, path))


def test_every_problem_of_three_files_and_of_the_data_is_listed_at_once(tmp_path):
    path = write(tmp_path, protocol=PROTOCOL_FAULTS, spaces=SPACES_FAULTS)
    path.write_text(STUDY_FAULTS)
    for picture in sorted((tmp_path / "pictures" / "class_03").iterdir())[1:]:
        picture.unlink()
    assert found(path) == ALL


def test_a_valid_study_has_no_problem(tmp_path):
    assert found(write(tmp_path)) == []


FAULTS = {
    "study's schema": ("study", ("question: ", "stray: 1\nquestion: "), "key-unknown"),
    "protocol's schema": ("protocol", ("seed: 7", "seed: x"), "type-wrong"),
    "spaces' schema": ("spaces", ("[0.0, 2.0]", "[2.0]"), "range-incomplete"),
    "knob": ("study", ("triplet: {}", "triplet: {space: {margin: 0.1, margn: 0.1}}"), "knob-unknown"),
    "trunk": ("protocol", ("name: convnet", "name: convnt"), "trunk-unknown"),
    "channels": ("protocol", ("convnet, channels: 4", "convnet"), "trunk-option-missing"),
    "size": ("protocol", ("image_size: 28", "image_size: 1"), "trunk-size"),
    "data": ("protocol", ("proxies: {classes: 4", "proxies: {classes: 5"), "batch-classes"),
}


@pytest.mark.parametrize("pair", list(itertools.combinations(FAULTS, 2)), ids=" x ".join)
def test_faults_of_two_layers_come_together_and_bring_no_third(tmp_path, pair):
    if set(pair) in ({"trunk", "size"}, {"trunk", "channels"}, {"channels", "size"}):
        pytest.skip("without a trunk, nothing is known of its size or width")
    changes = {"study": [], "protocol": [], "spaces": []}
    for name in pair:
        changes[FAULTS[name][0]].append(FAULTS[name][1])
    assert codes(write(tmp_path, **changes)) == sorted(FAULTS[name][2] for name in pair)


KNOB = ("triplet: {}", "triplet: {space: {margin: 0.1, margn: 0.1}}")
DATA = ("pairs: {classes: 4", "pairs: {classes: 5")


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("study", "contrastive: {}", "contrastiv: {}", ["loss-unknown", "baseline-unknown", "knob", "data"]),
        ("study", "contrastive: {}", "contrastive: {space: 3}", ["type-wrong", "knob", "data"]),
        ("study", "contrastive: {}", "contrastive: *x", ["yaml-alias", "knob", "data"]),
        ("study", "study: small", "study: other", ["name-not-file", "knob", "data"]),
        ("study", "metric: map_at_r", "metric: map", ["value-unknown", "knob", "data"]),
        ("study", "root: ../pictures", "root: 3", ["type-wrong", "knob"]),
        ("study", "root: ../pictures", "root: .nan", ["number-too-large", "knob"]),
        ("study", "root: ../pictures", "root: ../none", [None, "knob"]),
        ("study", "root: ../pictures", "root: " + "n" * 300, ["dataset-opens", "knob"]),
        ("study", "{dataset: folder, root: ../pictures}", "{dataset: a.b:C}", ["module-fails", "knob"]),
        ("study", "{dataset: folder, root: ../pictures}", "{dataset: 'torch.nn:Linear'}", ["dataset-class", "knob"]),
        ("study", "protocol: tiny", "protocol: tinny", ["protocol-unknown"]),
        ("study", "protocol: tiny", "protocol: 3", ["type-wrong"]),
        ("protocol", "seed: 7", "seed: [", ["yaml-invalid"]),
        ("protocol", "folds: {count: 2, kind: blocks, seed: 0}\n", "", ["key-missing", "knob"]),
        ("protocol", "split: {order: sorted, ", "split: {", ["key-missing", "knob"]),
        ("protocol", "phases: [{name: normal", "phases: [{name: norml", ["value-unknown", "knob", "data"]),
        ("protocol", "shared: {}", "shared: {foo: 1}", ["rate-unknown", "knob", "data"]),
        ("protocol", "shared: {}", "shared: {loss_lr: 0}", ["rate-range", "knob-shared", "knob", "data"]),
        ("protocol", "space: v1", "space: v7", ["space-unknown", "knob", "data"]),
        ("protocol", "lr: null", "lr: no", ["type-wrong", "knob", "data"]),
        ("protocol", "[aggregate, ens", "[agregate, ens", ["value-unknown", "knob", "data"]),
        ("spaces", "contrastive:\n", "contrastive: 3\nx:\n", ["type-wrong", "knob", "data"]),
        ("spaces", "triplet:", "triplet: [", ["yaml-invalid", "knob", "data"]),
    ],
)
def test_a_fault_hides_nothing_and_is_listed_once(tmp_path, file, old, new, expected):
    """Beside a wrong knob and a batch that no fold fills; only a rule that needs what is missing does not run."""
    known = {"knob": "knob-unknown", "data": "batch-classes"}
    changes = {"study": [KNOB], "protocol": [DATA], "spaces": []}
    changes[file].append((old, new))
    listed = codes(write(tmp_path, **changes))
    wanted = [known.get(code, code) for code in expected]
    assert len(listed) == len(wanted), listed
    assert set(wanted) - {None} <= set(listed)


def test_a_single_loss_is_listed_with_the_rest(tmp_path):
    losses = "losses: {contrastive: {}, triplet: {}, normalized_softmax: {}}"
    assert found(write(tmp_path, study=[(losses, "losses: {contrastive: {x: 1}}")])) == [
        (6, "losses", "losses-few"),
        (6, "losses.contrastive.x", "key-unknown"),
    ]


@pytest.mark.parametrize("name", sorted(set(FAULTS) - {"data"}))
def test_no_other_verb_goes_on_with_a_study_that_has_problems(tmp_path, name):
    file, change, code = FAULTS[name]
    path = write(tmp_path, **{file: [change]})
    assert [problem.code for problem in refused(verbs.load_study, path)] == [code]


@pytest.mark.parametrize("name", ["study's schema", "protocol's schema", "spaces' schema", "trunk"])
def test_status_and_report_list_the_problems_of_the_files(tmp_path, name):
    file, change, code = FAULTS[name]
    path = write(tmp_path, **{file: [change]})
    for verb in (verbs.study_standings, verbs.report_study):
        assert [problem.code for problem in refused(verb, path)] == [code]


@pytest.mark.parametrize(
    ("written", "mark"),
    [
        ("Photos: {dataset: folder, root: ../pictures}", ("datasets.Photos", "name-invalid")),
        ('"my photos": {dataset: folder, root: ../pictures}', ("datasets.my photos", "name-invalid")),
        ("pictures: {dataset: folder, root: ~nobody.of.this.name/x}", ("datasets.pictures", "root-missing")),
    ],
)
def test_a_dataset_without_a_name_or_a_home_is_one_problem(tmp_path, written, mark):
    path = write_study(tmp_path)
    old = "pictures: {dataset: folder, root: ../pictures}"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, written))
    (problem,) = refused(verbs.check_study, path)
    assert (problem.where, problem.code) == mark


@pytest.mark.parametrize("verb", ["check", "run"])
def test_a_path_that_is_not_utf8_is_refused_before_a_training(tmp_path, verb):
    study = write_study(tmp_path / os.fsdecode(b"caf\xe9"))
    with pytest.raises(InputError) as caught:
        verbs.check_study(study) if verb == "check" else verbs.run_study(verbs.load_study(study), executor="inline")
    assert [problem.code for problem in caught.value.problems] == ["path-not-text"]
    assert "caf\\udce9" in str(caught.value)
    assert not list(study.parent.rglob("*.safetensors"))
