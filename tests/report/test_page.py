import base64
import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest
from made_records import UNSEARCHED, with_search
from pages import Seen, markdown_row, markdown_section, write

from realitycheck.runs import RESULTS_VERSION

HOSTILE = "</style><script>alert(1)</script>\"'&="


@pytest.fixture(scope="module")
def folder(study, dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write(study, [dataset], folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return Seen((folder / "index.html").read_text())


def test_the_files(folder, texts):
    figures = {f"figures/{kind}-cub200.svg" for kind in ("scores", "differences", "search", "classes", "curves")}
    tables = {f"tables.{end}" for end in ("md", "csv", "json", "tex")} | {
        "differences.csv",
        "untrained.csv",
        "seeds.csv",
    }
    tables |= {"settings.csv", "methods.tex", "references.bib"}
    assert set(texts(folder)) == {"index.html", "provenance.html"} | tables | figures


def test_the_same_bytes_again(study, dataset, folder, tmp_path, texts):
    paths = write(study, [dataset], tmp_path)
    assert texts(tmp_path) == texts(folder)
    assert {str(path.relative_to(tmp_path)) for path in paths} == set(texts(tmp_path))


def test_the_page_is_whole_and_offline(page):
    assert page.open == []
    assert not page.tags & {"img", "link", "iframe", "object", "embed", "form"}
    (script,) = page.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:"
    assert ("content", policy) in page.attributes
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    targets = [value for name, value in page.attributes if name in ("href", "src", "xlink:href")]
    assert targets
    assert not [value for value in targets if ":" in value or value.startswith("/")]


def test_no_id_occurs_twice(page):
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_the_page_holds_what_was_asked_found_and_run(page):
    for part in (
        "Do margins still beat a plain contrastive loss?",
        "The test half was opened once.",
        "Images: Wah et al. (2011).",
        "study: margins",
        f"results version {RESULTS_VERSION}",
        "ab" * 32,
        "complete-512",
        "8 classes × 4 images",
        "A protocol for tests.",
        "120 queries of 6 classes",
        "144: 72 of searches, 48 final fold runs, 12 complete runs, 12 of runners-up",
    ):
        assert part in page.text
    for part in ("not finished", "Noise floor", "(reconstruction)", "follow-up"):
        assert part not in page.text


def test_trials_are_counted_from_one(folder, dataset):
    values = [sum(trial.fold_values) for trial in dataset.losses[0].trials]
    table = markdown_section((folder / "tables.md").read_text(), "Search")
    assert markdown_row(table, "contrastive")[3] == f"{values.index(max(values)) + 1} of 6"


def test_hostile_names_are_shown_and_do_nothing(study, dataset, tmp_path):
    choices = (study.losses[0], study.losses[1].model_copy(update={"label": HOSTILE}), study.losses[2])
    study = study.model_copy(update={"question": HOSTILE, "study": HOSTILE, "losses": choices})
    losses = (dataset.losses[0], replace(dataset.losses[1], label=HOSTILE), dataset.losses[2])
    dataset = replace(dataset, losses=losses, dataset=f"../{HOSTILE}")
    written = write(
        study,
        [dataset],
        tmp_path / "deep",
        sources={HOSTILE: HOSTILE},
        credit=[HOSTILE],
        ledger_digest=HOSTILE,
        attempts=[{HOSTILE: HOSTILE}],
    )
    assert all(path.resolve().is_relative_to(tmp_path / "deep") for path in written)
    for name in ("index.html", "provenance.html"):
        seen = Seen((tmp_path / "deep" / name).read_text())
        assert seen.open == []
        assert len(seen.scripts) == 1
        assert HOSTILE in seen.text
    for path in (tmp_path / "deep" / "figures").iterdir():
        assert "<script" not in path.read_text()


def test_an_unfinished_study_has_a_banner(study, dataset, edit, tmp_path):
    bare = dict.fromkeys(["contrastive", "circle", "soft_triple"], lambda x: with_search(x, **UNSEARCHED))
    untouched = replace(
        edit(dataset, **bare),
        untrained=tuple(with_search(row, replicates=()) for row in dataset.untrained),
        openings=(),
    )
    write(study.model_copy(update={"same": ("circle", "soft_triple")}), [untouched], tmp_path)
    text = Seen((tmp_path / "index.html").read_text()).text
    assert "This study is not finished." in text
    assert "cub200, circle: 0 of 6 trials finished." in text
    assert "The test half has not been opened: " in text
    assert "Two names of one function have no scores so far." in text
    assert not (tmp_path / "figures").exists()


def test_no_evidence_at_all_still_makes_a_page(study, tmp_path):
    write(study, [], tmp_path)
    assert "there is no record yet" in Seen((tmp_path / "index.html").read_text()).text


def test_provenance_holds_what_may_differ(study, dataset, folder, tmp_path, texts):
    attempts = [
        {"host": "box7", "time": "2026-11-22T10:00:00Z", "alarm": "two results of one id"},
        {"seconds": 3.5, "traceback": "Traceback:\n  raise <b>ValueError"},
    ]
    write(study, [dataset], tmp_path, attempts=attempts)
    here, there = texts(tmp_path), texts(folder)
    assert {name for name in here if here[name] != there[name]} == {"provenance.html"}
    text = Seen(here["provenance.html"].decode()).text
    for part in ("box7", "2026-11-22T10:00:00Z", "two results of one id", "3.5", "raise <b>ValueError"):
        assert part in text
    assert '<pre tabindex="0">Traceback:\n  raise &lt;b&gt;ValueError</pre>' in here["provenance.html"].decode()


def test_the_report_does_without_torch():
    program = (
        "import sys, realitycheck.report.page, realitycheck.report.menu;"
        "print(sorted({'torch', 'optuna', 'torchvision', 'faiss'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
