"""`check` tells all problems of a study at once, across files and layers, and nothing twice."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from small_study import PROTOCOL, SPACES, STUDY, write_study

from realitycheck import verbs
from realitycheck.errors import InputError

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
    (2, "question: must be text; got 3."),
    (3, "qestion: must be a known key; got 'qestion'. Did you mean 'question'?"),
    (4, "v1.yaml line 4  contrastive.neg_margin.uniform: low must be less than high; got [2.0, 0.0]."),
    (4, "tiny.yaml line 4  seed: must be a whole number; got '7'."),
    (4, "tiny.yaml line 6  folds.shufle: must be a known key; got 'shufle'."),
    (4, "tiny.yaml line 10  recipe.poling: must be a known key; got 'poling'. Did you mean 'pooling'?"),
    (4, "tiny.yaml line 24  batches.pairs.classes: must not exceed the training classes of a fold, 4; got 5."),
    (4, "tiny.yaml line 24  batches.pairs.per_class: must not exceed the smallest class's images, 1; got 2."),
    (4, "tiny.yaml line 24  batches.proxies.per_class: must not exceed the smallest class's images, 1; got 2."),
    (6, "datasets.pictures: pictures trainval classes: must have at least 2 images each; got class_03 (1)."),
    (7, "datasets.sketchs: must be a dataset of the menu; got 'sketchs'. Did you mean 'sketches'?"),
    (9, "losses.contrastive.margin: must be a known key; got 'margin'."),
    (10, "v1.yaml line 5: must be given, triplet has no default for it; got nothing."),
    (10, "v1.yaml line 6: must be a knob of triplet; got 'margn'. Did you mean 'margin'?"),
    (11, "losses.multi_simlarity: must be a loss of the menu; got 'multi_simlarity'. Did you mean 'multi_similarity'?"),
    (14, "losses.softmax.space.temperature: must be given, normalized_softmax has no default for it; got nothing."),
    (15, "losses.softmax.space.temprature: must be a knob of normalized_softmax; got 'temprature'. Did you mean 'temp"),
    (16, "losses.softmax.space.loss_lr.log_uniform: a log range must lie above 0; got [0.0, 1.0]."),
    (20, "losses.circle.family: must be 'pairs' or 'proxies'; got 'pair'. Did you mean 'pairs'?"),
    (21, "losses.circle.space.gama: must be a knob of pytorch_metric_learning.losses:CircleLoss; got 'gama'."),
    (23, "baseline: must stand once; got it again, after line 22."),
    (24, "primary.metric: must be a plain value; got the anchor `&a`."),
    (25, "smallest_difference: must be a number; got '1e-4'."),
]
"""Line of the study's file, and what is told, in order."""


def mended(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text


def write(home: Path, *, study=(), protocol=(), spaces=()) -> Path:
    path = write_study(home, study=mended(STUDY, *study), protocol=mended(PROTOCOL, *protocol))
    (home / "protocols" / "spaces" / "v1.yaml").write_text(mended(SPACES, *spaces))
    return path


def told(path: Path) -> list[str]:
    """The problems that `check` tells, as it prints them."""
    try:
        verbs.check_study(path)
    except InputError as error:
        return [f"{error.source.rpartition('/')[2]} {problem}" for problem in error.problems]
    return []


def test_every_problem_of_three_files_and_of_the_data_is_told_at_once(tmp_path):
    path = write(tmp_path, protocol=PROTOCOL_FAULTS, spaces=SPACES_FAULTS)
    path.write_text(STUDY_FAULTS)
    for picture in sorted((tmp_path / "pictures" / "class_03").iterdir())[1:]:
        picture.unlink()
    found = told(path)
    assert len(found) == len(ALL), "\n".join(found)
    for line, (number, phrase) in zip(found, ALL, strict=True):
        assert line.startswith(f"small.yaml line {number}  "), line
        assert phrase in line


def test_a_right_study_has_no_problem(tmp_path):
    assert told(write(tmp_path)) == []


FAULTS = {
    "study's schema": (
        "study",
        ("question: ", "stray: 1\nquestion: "),
        "small.yaml line 3  stray: must be a known key",
    ),
    "protocol's schema": ("protocol", ("seed: 7", "seed: x"), "line 4  seed: must be a whole number; got 'x'"),
    "spaces' schema": ("spaces", ("[0.0, 2.0]", "[2.0]"), "contrastive.neg_margin.uniform: must have two numbers"),
    "knob": (
        "study",
        ("triplet: {}", "triplet: {space: {margin: 0.1, margn: 0.1}}"),
        "losses.triplet.space.margn: must be a knob",
    ),
    "trunk": ("protocol", ("name: convnet", "name: convnt"), "recipe.trunk.name: must be a trunk of the menu"),
    "size": ("protocol", ("image_size: 28", "image_size: 1"), "recipe.image_size: must be a size that convnet takes"),
    "data": ("protocol", ("proxies: {classes: 4", "proxies: {classes: 5"), "batches.proxies.classes: must not exceed"),
}


@pytest.mark.parametrize("pair", list(itertools.combinations(FAULTS, 2)), ids=" x ".join)
def test_faults_of_two_layers_are_told_together_and_bring_no_third(tmp_path, pair):
    if set(pair) == {"trunk", "size"}:
        pytest.skip("there is no trunk to show a size to")
    changes = {"study": [], "protocol": [], "spaces": []}
    for name in pair:
        changes[FAULTS[name][0]].append(FAULTS[name][1])
    found = told(write(tmp_path, **changes))
    assert len(found) == 2, "\n".join(found)
    assert all(any(FAULTS[name][2] in each for each in found) for name in pair), "\n".join(found)


KNOB = ("triplet: {}", "triplet: {space: {margin: 0.1, margn: 0.1}}")
DATA = ("pairs: {classes: 4", "pairs: {classes: 5")


@pytest.mark.parametrize(
    ("file", "old", "new", "phrases"),
    [
        ("study", "contrastive: {}", "contrastiv: {}", ["'contrastiv'", "got 'contrastive'. Did", "margn", "fold, 4"]),
        ("study", "contrastive: {}", "contrastive: {space: 3}", ["must be a mapping; got 3", "margn", "fold, 4"]),
        ("study", "contrastive: {}", "contrastive: *x", ["the alias `*x`", "margn", "fold, 4"]),
        ("study", "study: small", "study: other", ["must be the file's name", "margn", "fold, 4"]),
        ("study", "metric: map_at_r", "metric: map", ["must be 'map_at_r'", "margn", "fold, 4"]),
        ("study", "root: ../pictures", "root: 3", ["must be text; got 3", "margn"]),
        ("study", "root: ../pictures", "root: ../none", ["no such folder", "margn"]),
        ("study", "{dataset: folder, root: ../pictures}", "{dataset: a.b:C}", ["No module named 'a'", "margn"]),
        ("study", "protocol: tiny", "protocol: tinny", ["must be a protocol; got 'tinny'"]),
        ("study", "protocol: tiny", "protocol: 3", ["must be text; got 3"]),
        ("protocol", "seed: 7", "seed: [", ["must be YAML"]),
        ("protocol", "folds: {count: 2, kind: blocks, seed: 0}\n", "", ["folds: must be given", "margn"]),
        ("protocol", "split: {order: sorted, ", "split: {", ["split.order: must be given", "margn"]),
        ("protocol", "phases: [{name: normal", "phases: [{name: norml", ["Did you mean 'normal'", "margn", "fold, 4"]),
        ("protocol", "shared: {}", "shared: {foo: 1}", ["must be a rate; got 'foo'", "margn", "fold, 4"]),
        ("protocol", "shared: {}", "shared: {loss_lr: 0}", ["must be a positive number", "margn", "fold, 4"]),
        ("protocol", "space: v1", "space: v7", ["must name a file of", "margn", "fold, 4"]),
        ("protocol", "lr: null", "lr: no", ["optimizers.loss.lr: must be a number; got 'no'", "margn", "fold, 4"]),
        ("protocol", "[aggregate, ens", "[agregate, ens", ["categories.0: must be 'aggregate'", "margn", "fold, 4"]),
        ("spaces", "contrastive:\n", "contrastive: 3\nx:\n", ["contrastive: must be a mapping", "margn", "fold, 4"]),
        ("spaces", "triplet:", "triplet: [", ["must be YAML", "margn", "fold, 4"]),
    ],
)
def test_a_fault_hides_nothing_and_is_told_once(tmp_path, file, old, new, phrases):
    """Beside a wrong knob and a batch that no fold fills; only a look that needs what is not there is left out."""
    changes = {"study": [KNOB], "protocol": [DATA], "spaces": []}
    changes[file].append((old, new))
    found = told(write(tmp_path, **changes))
    assert len(found) == len(phrases), "\n".join(found)
    assert all(any(phrase in each for each in found) for phrase in phrases), "\n".join(found)


def test_a_single_loss_is_told_with_the_rest(tmp_path):
    losses = "losses: {contrastive: {}, triplet: {}, normalized_softmax: {}}"
    found = told(write(tmp_path, study=[(losses, "losses: {contrastive: {x: 1}}")]))
    assert [each.partition(": must ")[2][:15] for each in found] == ["be two or more,", "be a known key;"]


@pytest.mark.parametrize("name", sorted(set(FAULTS) - {"data"}))
def test_no_other_verb_goes_on_with_what_is_sound(tmp_path, name):
    file, change, phrase = FAULTS[name]
    path = write(tmp_path, **{file: [change]})
    with pytest.raises(InputError) as caught:
        verbs.load_study(path)
    assert phrase.removeprefix("small.yaml ") in str(caught.value)
