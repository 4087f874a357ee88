"""Valid files become values; of files that do not fit their schema, every problem has its line, place and code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import yaml
from homes import marks, refused
from pydantic import BaseModel, Field

from realitycheck.errors import InputError
from realitycheck.protocol.document import read_document
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.read import read_protocol, read_spaces, read_study
from realitycheck.protocol.space import LogUniform, Uniform
from realitycheck.protocol.validation import validate
from realitycheck.runs import Category

REPOSITORY = Path(__file__).parents[2]


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
    def test_the_shipped_studies_are_valid(self, path):
        assert read_study(path).study.study == path.stem

    @pytest.mark.parametrize("path", sorted((REPOSITORY / "protocols").glob("*.yaml")), ids=lambda path: path.stem)
    def test_the_shipped_protocols_survive_json(self, path):
        protocol = read_protocol(path).value
        assert Protocol.model_validate_json(protocol.model_dump_json()) == protocol

    def test_published_optima_are_inside_of_the_shipped_spaces(self):
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
    # old text, new text, line, place, code
    ("seed: 7", "seed: '7'", 3, "seed", "type-wrong"),
    ("seed: 7", "seed: 7.0", 3, "seed", "type-wrong"),
    ("seed: 7", "seed: 10:30", 3, "seed", "type-wrong"),
    ("seed: 7", "seed: null", 3, "seed", "type-wrong"),
    ("seed: 7", "seed: 99999999999999999999", 3, "seed", "number-too-large"),
    ("seed: 7\n", "", 1, "seed", "key-missing"),
    ("trials: 6", "trails: 6", 35, "search.trails", "key-unknown"),  # the missing `trials` is the same fault
    ("trials: 6", "trials: yes", 35, "search.trials", "type-wrong"),
    ("trials: 6", "trials: 0", 35, "search.trials", "value-range"),
    ("trials: 6", "trials: 1000000", 35, "search.trials", "value-range"),
    ("sampler: gp", "sampler: gpp", 34, "search.sampler", "value-unknown"),
    ("space: v1", "space: ../../etc", 38, "search.space", "name-invalid"),
    ("trunk: {name: adam, lr: 1e-4", "trunk: {name: adam, lr: '1e-4'", 16, "recipe.optimizers.trunk.lr", "type-wrong"),
    (
        "trunk: {name: adam, lr: 1e-4",
        "trunk: {name: adam, lr: .inf",
        16,
        "recipe.optimizers.trunk.lr",
        "number-too-large",
    ),
    ("flip: 0.5", "flip: 1.5", 14, "recipe.augment.flip", "value-range"),
    ("image_size: 28", "image_size: 12000", 7, "recipe.image_size", "value-range"),
    ("embedding_dim: 16", "embedding_dim: 1000000000", 22, "embedding_dim", "value-range"),
    ("embedding_dim: 16", "embedding_dim: 20000", 22, "embedding_dim", "value-range"),
    ("channels: 8", "channels: 4096", 8, "recipe.trunk.channels", "value-range"),
    ("seed: 7", "seed: -7", 3, "seed", "value-range"),
    ("epoch: pass", "epoch: 0", 26, "epoch", "value-range"),  # both arms of the union in one sentence
    ("[aggregate, complete]", "[]", 41, "categories", "entries-range"),
    ("[aggregate, complete]", "complete", 41, "categories", "type-wrong"),
    ("[aggregate, complete]", "[aggregat, complete]", 41, "categories.0", "value-unknown"),
    ("augment: {shift: 2, flip: 0.5}", "augment: 3", 14, "recipe.augment", "type-wrong"),
    ("level: 0.95", "level: 95", 42, "interval.level", "value-range"),
    ("0.1, followup", "{unifrom: [0.1, 1]}, followup", 39, "search.shared.followup_trunk_lr_scale", "range-invalid"),
]

STUDY_FAULTS = [
    ("  contrastive: {}", "  contrastive: [1]", 8, "losses.contrastive", "type-wrong"),
    ("  softmax:", "  Softmax:", 9, "losses.Softmax", "name-invalid"),
    ("loss_lr: 1e-3", "loss_lr: {unifrom: [1, 2]}", 13, "losses.softmax.space.loss_lr", "range-invalid"),
    ("loss_lr: 1e-3", "loss_lr: true", 13, "losses.softmax.space.loss_lr", "range-invalid"),
    ("[0.05, 0.5]", "[0.5, 0.05]", 12, "losses.softmax.space.temperature.log_uniform", "range-reversed"),
    ("[0.05, 0.5]", "[0, 0.5]", 12, "losses.softmax.space.temperature.log_uniform", "range-not-positive"),
    ("[0.05, 0.5]", "[0.5]", 12, "losses.softmax.space.temperature.log_uniform", "range-incomplete"),
    ("[0.05, 0.5]", "[1, x]", 12, "losses.softmax.space.temperature.log_uniform.1", "type-wrong"),
    (
        "m: {uniform: [0, 1]}",
        "m: {int_uniform: [1, 1000002]}",
        18,
        "losses.circle.space.m.int_uniform",
        "range-too-wide",
    ),
    ("m: {uniform: [0, 1]}", "m: {choice: [a]}", 18, "losses.circle.space.m.choice", "entries-range"),
    ("m: {uniform: [0, 1]}", "m: {choice: [a, b, a]}", 18, "losses.circle.space.m.choice", "choice-duplicate"),
    ("m: {uniform: [0, 1]}", "m: {choice: [1, 1.0]}", 18, "losses.circle.space.m.choice", "choice-duplicate"),
    ("    family: pairs", "    family: pair", 17, "losses.circle.family", "value-unknown"),
    ("category: complete", "category: best", 20, "primary.category", "value-unknown"),
    ("smallest_difference: 0.5", "smallest_difference: 0", 21, "smallest_difference", "value-range"),
    ("question: Which is best?", "question: 3", 2, "question", "type-wrong"),
    ("primary: {", "primary: {weight: 1, ", 20, "primary.weight", "key-unknown"),
    ("root: images/birds", "root: " + "a" * 5000, 6, "datasets.birds.root", "text-too-long"),
    ("root: images/birds", "root: .nan", 6, "datasets.birds.root", "number-too-large"),
    ("protocol: tiny", "protocol: tinny", 3, "protocol", "protocol-unknown"),
    ("protocol: tiny", "protocol: " + "t" * 300, 3, "protocol", "protocol-unknown"),
    ("protocol: tiny", 'protocol: "a\\0b"', 3, "protocol", "protocol-unknown"),
    ("protocol: tiny", "protocol: 3", 3, "protocol", "type-wrong"),
    # YAML's own surprises
    ("baseline: contrastive", "study: mine\nbaseline: contrastive", 19, "study", "key-duplicate"),
    ("baseline: contrastive", "baseline: *x", 19, "baseline", "yaml-alias"),
    ("baseline: contrastive", "baseline: &x contrastive", 19, "baseline", "yaml-anchor"),
    ("baseline: contrastive", "baseline: !!str contrastive", 19, "baseline", "yaml-tag"),
    ("baseline: contrastive", "baseline: [", 21, "", "yaml-invalid"),
    ("baseline: contrastive", "\tbaseline: contrastive", 19, "", "yaml-invalid"),
    ("baseline: contrastive", "baseline: a\x00b", 19, "", "yaml-invalid"),
    ("baseline: contrastive", 'baseline: "\\UFFFFFFFF"', 19, "", "yaml-invalid"),
    ("baseline: contrastive", "baseline: " + "[" * 50 + "]" * 50, 19, "", "yaml-depth"),
    ("baseline: contrastive", "? [a]\n: b", 19, "", "yaml-key"),
]


class TestWrongFiles:
    @pytest.mark.parametrize(("old", "new", "line", "where", "code"), PROTOCOL_FAULTS, ids=lambda each: str(each)[:40])
    def test_a_protocol_with_one_fault_has_one_problem(self, home, old, new, line, where, code):
        home.replace(home.protocol, old, new)
        assert marks(refused(read_protocol, home.protocol)) == [(line, where, code)]
        assert marks(refused(read_study, home.study)) == [(line, where, code)]

    @pytest.mark.parametrize(("old", "new", "line", "where", "code"), STUDY_FAULTS, ids=lambda each: str(each)[:40])
    def test_a_study_with_one_fault_has_one_problem(self, home, old, new, line, where, code):
        home.replace(home.study, old, new)
        assert marks(refused(read_study, home.study)) == [(line, where, code)]

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("baseline: contrastive", "<<: {}\nbaseline: contrastive", [(19, "<<", "yaml-merge")]),
            ("baseline: contrastive", "---\nbaseline: contrastive", [(19, "", "yaml-documents")]),
        ],
    )
    def test_what_yaml_adds_is_among_the_problems(self, home, old, new, expected):
        home.replace(home.study, old, new)
        assert set(expected) <= set(marks(refused(read_study, home.study)))

    def test_problems_of_every_kind_come_together_in_order_of_lines(self, home):
        home.replace(home.study, "question: Which is best?", "question: &a Which is best?")
        home.replace(home.study, "  contrastive: {}", "  contrastive: {margin: 1}")
        home.replace(home.study, "smallest_difference: 0.5", "smallest_diference: none")
        assert marks(refused(read_study, home.study)) == [
            (2, "question", "yaml-anchor"),
            (8, "losses.contrastive.margin", "key-unknown"),
            (21, "smallest_diference", "key-unknown"),
        ]

    def test_problems_of_a_protocol_alone_are_under_its_own_name(self, home):
        home.replace(home.protocol, "seed: 7", "seed: x")
        with pytest.raises(InputError) as caught:
            read_study(home.study)
        assert caught.value.source == str(home.protocol)
        assert marks(caught.value.problems) == [(3, "seed", "type-wrong")]

    def test_problems_of_protocol_and_study_come_together(self, home):
        home.replace(home.protocol, "seed: 7", "seed: x")
        home.replace(home.study, "question: Which is best?", "question: 3")
        found = refused(read_study, home.study)
        assert marks(found) == [(2, "question", "type-wrong"), (3, "protocol", "type-wrong")]
        assert found[1].says.startswith(f"{home.protocol} line 3  seed: ")
        assert "[" not in found[1].says  # the code comes once, at the end

    def test_problems_of_the_spaces_alone_are_under_their_own_name(self, home):
        home.replace(home.spaces, "[0, 1]", "[1, 0]")
        with pytest.raises(InputError) as caught:
            read_study(home.study)
        assert caught.value.source == str(home.spaces)
        assert marks(caught.value.problems) == [(2, "contrastive.pos_margin.uniform", "range-reversed")]

    @pytest.mark.parametrize(
        ("raw", "line", "code"),
        [
            (b"", 0, "type-wrong"),
            (b"# only a comment\n", 0, "type-wrong"),
            (b"- a\n- b\n", 1, "type-wrong"),
            (b"just words", 1, "type-wrong"),
            (b"study: x\nquestion: \xff\n", 2, "file-encoding"),
            (b"\x1f\x8b\x08\x00", 0, "file-encoding"),  # a packed ledger
            (b"#" * (1 << 20) + b"\n", 0, "file-too-large"),
        ],
    )
    def test_a_file_that_is_no_study_at_all(self, home, raw, line, code):
        home.study.write_bytes(raw)
        assert marks(refused(read_study, home.study)) == [(line, "", code)]

    @pytest.mark.parametrize("name", ["none", "n" * 300])
    def test_a_file_that_is_not_there(self, home, name):
        found = refused(read_study, home.folder / "studies" / f"{name}.yaml")
        assert marks(found) == [(0, "", "file-unreadable")]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("  contrastive: {}", "  triplet: {}\n  contrastive: {}"),  # no file has a space for it
            ("    distance: cosine\n", ""),
        ],
    )
    def test_a_loss_that_cannot_be_completed_is_refused(self, home, old, new):
        home.replace(home.study, old, new)
        (problem,) = refused(read_study, home.study)
        assert problem.code == "loss-incomplete"


class Even(BaseModel):
    """A model with a constraint that has no wording of its own."""

    count: Annotated[int, Field(multiple_of=2)]


def test_an_error_without_a_wording_is_reported_in_pydantics(tmp_path):
    path = tmp_path / "even.yaml"
    path.write_text("count: 3\n")
    _, (problem,) = validate(Even, read_document(path, source="even.yaml"))
    assert (problem.line, problem.where, problem.code) == (1, "count", "value-invalid")


def test_reading_needs_no_torch():
    code = "import sys; import realitycheck.protocol.read; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
