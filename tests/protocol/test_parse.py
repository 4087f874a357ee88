"""Good files become values; of wrong ones every problem is told, with its line and what to do."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from realitycheck.errors import InputError, Problem
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.parse import read_protocol, read_spaces, read_study
from realitycheck.protocol.space import LogUniform, Uniform
from realitycheck.runs import Category

REPOSITORY = Path(__file__).parents[2]


def problems(read, path) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        read(path)
    return caught.value.problems


class TestGoodFiles:
    def test_a_protocol_says_what_its_file_says(self, home):
        protocol = read_protocol(home.protocol).value
        assert protocol.recipe.optimizers.trunk.lr == 0.0001
        assert protocol.recipe.optimizers.loss.lr is None
        assert protocol.epoch == "pass"
        assert protocol.categories == (Category.AGGREGATE, Category.COMPLETE)
        assert [phase.cap for phase in protocol.phases] == [40, 20]

    def test_a_protocol_survives_json_and_yaml(self, home):
        protocol = read_protocol(home.protocol).value
        assert Protocol.model_validate_json(protocol.model_dump_json()) == protocol
        home.protocol.write_text(yaml.safe_dump(protocol.model_dump(mode="json")))
        assert read_protocol(home.protocol).value == protocol

    def test_a_study_is_completed_by_menu_and_spaces(self, home):
        contrastive, softmax, circle = read_study(home.study).study.losses
        assert (contrastive.address, contrastive.distance, contrastive.family) == (
            "contrastive",
            "cosine",
            "pairs",
        )
        assert contrastive.space["neg_margin"] == Uniform(uniform=(0.0, 2.0))
        assert (softmax.label, softmax.address, softmax.family) == (
            "softmax",
            "normalized_softmax",
            "proxies",
        )
        assert softmax.space == {"temperature": LogUniform(log_uniform=(0.05, 0.5)), "loss_lr": 0.001}
        assert circle.address == "pytorch_metric_learning.losses:CircleLoss"

    def test_a_study_knows_its_home_and_roots_start_at_its_file(self, home):
        read = read_study(home.study)
        assert read.home == home.folder
        sketches, birds = read.study.datasets
        assert (sketches.address, sketches.root) == ("sketches", None)
        assert (birds.address, birds.root) == ("folder", str(home.study.parent / "images" / "birds"))

    def test_the_texts_of_the_three_files_are_kept_under_names_of_any_machine(self, home):
        texts = read_study(home.study).texts()
        assert texts == {
            "studies/mine.yaml": home.study.read_text(),
            "protocols/tiny.yaml": home.protocol.read_text(),
            "protocols/spaces/v1.yaml": home.spaces.read_text(),
        }

    def test_nothing_after_a_label_means_no_options(self, home):
        home.replace(home.study, "  contrastive: {}\n", "  contrastive:\n")
        assert read_study(home.study).study.loss("contrastive").address == "contrastive"

    def test_a_protocol_can_be_named_by_a_path_from_the_study(self, home):
        home.replace(home.study, "protocol: tiny", "protocol: ../protocols/tiny.yaml")
        assert read_study(home.study).study.protocol.protocol == "tiny"

    def test_a_study_outside_of_studies_has_its_own_folder_as_home(self, home):
        moved = home.study.rename(home.folder / "mine.yaml")
        assert read_study(moved).home == home.folder

    @pytest.mark.parametrize("path", sorted((REPOSITORY / "studies").glob("*.yaml")), ids=lambda path: path.stem)
    def test_the_studies_of_the_house_are_right(self, path):
        assert read_study(path).study.study == path.stem

    @pytest.mark.parametrize("path", sorted((REPOSITORY / "protocols").glob("*.yaml")), ids=lambda path: path.stem)
    def test_the_protocols_of_the_house_survive_json(self, path):
        protocol = read_protocol(path).value
        assert Protocol.model_validate_json(protocol.model_dump_json()) == protocol

    def test_published_optima_lie_inside_of_the_spaces_of_the_house(self):
        """Musgrave et al. (2020), best settings on CUB, Cars and SOP; a negative margin means 0."""
        spaces = read_spaces(REPOSITORY / "protocols" / "spaces" / "v1.yaml").value
        published = {
            "contrastive": {"pos_margin": [0.265, 0.285], "neg_margin": [0.384, 0.541, 0.513]},
            "triplet": {"margin": [0.096, 0.119, 0.045]},
            "multi_similarity": {
                "alpha": [0.01, 14.35, 8.49],
                "beta": [50.6, 75.8, 57.4],
                "base": [0.56, 0.66, 0.41],
            },
            "normalized_softmax": {"temperature": [0.109, 0.089, 0.063], "loss_lr": [4.5e-3, 1.1e-2, 5.5e-4]},
        }
        assert published.keys() == spaces.keys()
        for loss, knobs in published.items():
            assert knobs.keys() == spaces[loss].keys()
            for knob, optima in knobs.items():
                low, high = spaces[loss][knob].bounds
                assert all(low < optimum < high for optimum in optima)


PROTOCOL_FAULTS = [
    # old text, new text, line, where, what the message must hold
    ("seed: 7", "seed: '7'", 3, "seed", "must be a whole number; got '7'."),
    ("seed: 7", "seed: 7.0", 3, "seed", "must be a whole number; got 7.0."),
    ("seed: 7", "seed: 10:30", 3, "seed", "got '10:30'"),
    ("seed: 7", "seed: 99999999999999999999", 3, "seed", "fits 64 bits"),
    ("seed: 7\n", "", 1, "seed", "must be given; got nothing. Add `seed: …`."),
    ("trials: 6", "trails: 6", 35, "search.trails", "Did you mean 'trials'?"),
    ("trials: 6", "trials: yes", 35, "search.trials", "got 'yes'"),
    ("trials: 6", "trials: 0", 35, "search.trials", "must be at least 1; got 0. Raise it."),
    (
        "  startup_trials: 3",
        "  startup_trials: 9",
        36,
        "search.startup_trials",
        "must not exceed search.trials, 6",
    ),
    ("round: 2", "round: 7", 37, "search.round", "must not exceed search.trials, 6; got 7"),
    (
        "sampler: gp",
        "sampler: gpp",
        34,
        "search.sampler",
        "must be 'gp' or 'random'; got 'gpp'. Did you mean 'gp'?",
    ),
    ("space: v1", "space: ../../etc", 38, "search.space", "must be a name"),
    ("shared: {", "shared: {margin: 1, ", 39, "search.shared.margin", "must be a rate; got 'margin'"),
    ("shared: {", "shared: {loss_lr: {uniform: [0, 1]}, ", 39, "search.shared.loss_lr", "positive"),
    ("shared: {", "shared: {trunk_lr: 1e-3, ", 16, "recipe.optimizers.trunk.lr", "must be null where"),
    (
        "trunk: {name: adam, lr: 1e-4",
        "trunk: {name: adam, lr: null",
        16,
        "recipe.optimizers.trunk.lr",
        "got neither",
    ),
    (
        "trunk: {name: adam, lr: 1e-4",
        "trunk: {name: adam, lr: '1e-4'",
        16,
        "recipe.optimizers.trunk.lr",
        "got '1e-4'",
    ),
    (
        "trunk: {name: adam, lr: 1e-4",
        "trunk: {name: adam, lr: .inf",
        16,
        "recipe.optimizers.trunk.lr",
        "got .inf",
    ),
    ("flip: 0.5", "flip: 1.5", 14, "recipe.augment.flip", "must be at most 1; got 1.5. Lower it."),
    ("name: convnet", "name: covnet", 8, "recipe.trunk.name", "Did you mean 'convnet'?"),
    ("name: convnet", "name: 'my lab:Net'", 8, "recipe.trunk.name", "must be an address `module:Class`"),
    ("epoch: pass", "epoch: 0", 26, "epoch", "must be at least 1 or must be 'pass'; got 0"),
    ("- {name: normal", "- {name: followup", 28, "phases.0.name", "must be 'normal' in this place"),
    (
        "    evaluate_every: 10",
        "    evaluate_every: 30",
        31,
        "phases.1.evaluate_every",
        "phase's cap, 20; got 30",
    ),
    (
        "pairs: {classes: 4, per_class: 2}",
        "pairs: {classes: 4, per_class: 1}",
        24,
        "batches.pairs.per_class",
        "at least 2",
    ),
    ("[aggregate, complete]", "[]", 41, "categories", "must have 1 or more entries; got []"),
    ("[aggregate, complete]", "[complete, complete]", 41, "categories.1", "must stand once"),
    ("[aggregate, complete]", "complete", 41, "categories", "must be a list; got 'complete'"),
    ("augment: {shift: 2, flip: 0.5}", "augment: 3", 14, "recipe.augment", "must be a mapping; got 3"),
    ("level: 0.95", "level: 95", 42, "interval.level", "must be less than 1; got 95"),
    ("protocol: tiny", "protocol: large", 1, "protocol", "must be the file's name, 'tiny'; got 'large'"),
]

STUDY_FAULTS = [
    ("baseline: contrastive", "baseline: contrastiv", 19, "baseline", "Did you mean 'contrastive'?"),
    (
        "  contrastive: {}",
        "  contrastiv: {}",
        8,
        "losses.contrastiv",
        "Did you mean 'contrastive'? For your own",
    ),
    (
        "  contrastive: {}",
        "  triplet: {}\n  contrastive: {}",
        8,
        "losses.triplet",
        "must have a space; got none",
    ),
    (
        "  contrastive: {}",
        "  contrastive: {distance: euclidean}",
        8,
        "losses.contrastive.distance",
        "left to the menu",
    ),
    ("  contrastive: {}", "  contrastive: [1]", 8, "losses.contrastive", "must be a mapping; got [1]"),
    (
        "  contrastive: {}",
        "  Contrastive: {}\n  contrastive: {}",
        8,
        "losses.Contrastive",
        "must be a name of",
    ),
    ("loss_lr: 1e-3", "loss_lr: -1", 13, "losses.softmax.space.loss_lr", "must be a positive number"),
    (
        "loss_lr: 1e-3",
        "loss_lr: {unifrom: [1, 2]}",
        13,
        "losses.softmax.space.loss_lr",
        "Did you mean 'uniform'?",
    ),
    (
        "loss_lr: 1e-3",
        "loss_lr: true",
        13,
        "losses.softmax.space.loss_lr",
        "must be one fixed value or exactly",
    ),
    (
        "[0.05, 0.5]",
        "[0.5, 0.05]",
        12,
        "losses.softmax.space.temperature.log_uniform",
        "low must be less than high",
    ),
    ("[0.05, 0.5]", "[0, 0.5]", 12, "losses.softmax.space.temperature.log_uniform", "must lie above 0"),
    ("[0.05, 0.5]", "[0.5]", 12, "losses.softmax.space.temperature.log_uniform", "must have two numbers"),
    (
        "[0.05, 0.5]",
        "[1, x]",
        12,
        "losses.softmax.space.temperature.log_uniform.1",
        "must be a number; got 'x'",
    ),
    ("losses:CircleLoss", "losses", 15, "losses.circle.loss", "must be a loss of the menu"),
    ("losses:CircleLoss", "losses:9Loss", 15, "losses.circle.loss", "must be an address `module:Class`"),
    ("    distance: cosine\n", "", 14, "losses.circle.distance", "must be given for a loss by address"),
    ("    family: pairs", "    family: pair", 17, "losses.circle.family", "Did you mean 'pairs'?"),
    ("  sketches: {}", "  sketchs: {}", 5, "datasets.sketchs", "Did you mean 'sketches'?"),
    ("  sketches: {}", "  sketches: {root: /data}", 5, "datasets.sketches.root", "must be left out"),
    (", root: images/birds", "", 6, "datasets.birds.root", "must name the folder of the images"),
    ("category: complete", "category: ensemble", 20, "primary.category", "It measures aggregate, complete"),
    (
        "category: complete",
        "category: best",
        20,
        "primary.category",
        "must be 'aggregate', 'ensemble' or 'complete'",
    ),
    (
        "smallest_difference: 0.5",
        "smallest_difference: 0",
        21,
        "smallest_difference",
        "must be greater than 0",
    ),
    ("protocol: tiny", "protocol: tinny", 3, "protocol", "Did you mean 'tiny'?"),
    ("study: mine", "study: other", 1, "study", "must be the file's name, 'mine'; got 'other'"),
    ("question: Which is best?", "question: 3", 2, "question", "must be text; got 3"),
    ("primary: {", "primary: {weight: 1, ", 20, "primary.weight", "Known here: category, metric."),
    # YAML's own surprises
    ("baseline: contrastive", "study: mine", 19, "study", "must stand once; got it again, after line 1"),
    ("baseline: contrastive", "baseline: *x", 19, "baseline", "got the alias `*x`"),
    ("baseline: contrastive", "baseline: &x contrastive", 19, "baseline", "got the anchor `&x`"),
    ("baseline: contrastive", "baseline: !!str contrastive", 19, "baseline", "got the tag"),
    ("baseline: contrastive", "<<: {}\nbaseline: contrastive", 19, "<<", "got the merge key `<<`"),
    ("baseline: contrastive", "---\nbaseline: contrastive", 19, "", "must hold one document"),
    ("baseline: contrastive", "baseline: [", 21, "", "must be YAML; got an error"),
    ("baseline: contrastive", "\tbaseline: contrastive", 19, "", "must be YAML; got an error"),
    ("baseline: contrastive", "baseline: a\x00b", 19, "", "a character that is not allowed, U+0000"),
    (
        "baseline: contrastive",
        'baseline: "\\UFFFFFFFF"',
        19,
        "",
        "an escape or a directive that means nothing",
    ),
    ("baseline: contrastive", "baseline: " + "[" * 50 + "]" * 50, 19, "", "must have at most 32 levels"),
    ("baseline: contrastive", "? [a]\n: b", 19, "", "must have text before each colon"),
]


class TestWrongFiles:
    @pytest.mark.parametrize(
        ("old", "new", "line", "where", "phrase"), PROTOCOL_FAULTS, ids=lambda each: str(each)[:40]
    )
    def test_a_protocol_with_one_fault(self, home, old, new, line, where, phrase):
        home.replace(home.protocol, old, new)
        found = [each for each in problems(read_protocol, home.protocol) if phrase in each.says]
        assert [(each.line, each.where) for each in found] == [(line, where)]

    @pytest.mark.parametrize(("old", "new", "line", "where", "phrase"), STUDY_FAULTS, ids=lambda each: str(each)[:40])
    def test_a_study_with_one_fault(self, home, old, new, line, where, phrase):
        home.replace(home.study, old, new)
        found = [each for each in problems(read_study, home.study) if phrase in each.says]
        assert [(each.line, each.where) for each in found] == [(line, where)]

    @pytest.mark.parametrize(
        ("old", "new", "count"),
        [
            ("trials: 6", "trails: 6", 1),  # the missing `trials` is the same fault
            (
                "trunk: {name: adam, lr: 1e-4",
                "trunk: {name: adam, lr: .inf",
                1,
            ),  # no second word on a refused value
            ("epoch: pass", "epoch: 0", 1),  # both arms of the union in one sentence
        ],
    )
    def test_one_fault_is_told_once(self, home, old, new, count):
        home.replace(home.protocol, old, new)
        assert len(problems(read_protocol, home.protocol)) == count

    def test_faults_of_every_kind_are_told_together_in_order_of_lines(self, home):
        home.replace(home.study, "question: Which is best?", "question: &a Which is best?")
        home.replace(home.study, "  contrastive: {}", "  contrastiv: {}")
        home.replace(home.study, "smallest_difference: 0.5", "smallest_diference: none")
        found = [(each.line, each.where) for each in problems(read_study, home.study)]
        assert found == [
            (2, "question"),
            (8, "losses.contrastiv"),
            (19, "baseline"),
            (21, "smallest_diference"),
        ]

    def test_a_wrong_protocol_is_told_under_its_own_name(self, home):
        home.replace(home.protocol, "seed: 7", "seed: x")
        with pytest.raises(InputError) as caught:
            read_study(home.study)
        assert caught.value.source == str(home.protocol)
        assert [each.line for each in caught.value.problems] == [3]

    def test_a_wrong_protocol_and_a_wrong_study_are_told_together(self, home):
        home.replace(home.protocol, "seed: 7", "seed: x")
        home.replace(home.study, "  contrastive: {}", "  contrastiv: {}")
        found = problems(read_study, home.study)
        assert [each.line for each in found] == [3, 8, 19]
        assert "tiny.yaml line 3  seed: must be a whole number" in found[0].says

    def test_wrong_spaces_are_told_under_their_own_name(self, home):
        home.replace(home.spaces, "[0, 1]", "[1, 0]")
        with pytest.raises(InputError, match=r"v1\.yaml has 1 problem\n  line 2  contrastive\.pos_margin\.uniform"):
            read_study(home.study)

    def test_a_shared_rate_cannot_stand_in_a_loss_as_well(self, home):
        home.replace(home.protocol, "shared: {", "shared: {loss_lr: {log_uniform: [1e-6, 1]}, ")
        (found,) = problems(read_study, home.study)
        assert (found.line, found.where) == (13, "losses.softmax.space.loss_lr")

    @pytest.mark.parametrize(
        ("raw", "line", "phrase"),
        [
            (b"", 0, "must be a mapping; got nothing"),
            (b"# only a comment\n", 0, "must be a mapping; got nothing"),
            (b"- a\n- b\n", 1, 'must be a mapping; got ["a", "b"]'),
            (b"just words", 1, "must be a mapping; got 'just words'"),
            (b"study: x\nquestion: \xff\n", 2, "must be UTF-8 text; got byte 0xff"),
            (b"#" * (1 << 20) + b"\n", 0, "must be at most 1048576 bytes"),
        ],
    )
    def test_a_file_that_is_no_study_at_all(self, home, raw, line, phrase):
        home.study.write_bytes(raw)
        (found,) = problems(read_study, home.study)
        assert (found.line, found.where) == (line, "")
        assert phrase in found.says

    def test_a_file_that_is_not_there(self, home):
        (found,) = problems(read_study, home.folder / "studies" / "none.yaml")
        assert found == Problem(
            0, "", "must be a file that can be read; got: No such file or directory. Correct the path."
        )


def test_reading_needs_no_torch():
    code = "import sys; import realitycheck.protocol.parse; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
