"""Each way to change a study or its report by hand is found, and the untouched study holds."""

from __future__ import annotations

import copy as copying
import gzip
import json
import re
from pathlib import Path

import pytest
from tampered import Copy, is_run, sha256, with_spec

from realitycheck import verbs

FIRST, SECOND = "contrastive", "normalized_softmax"


def found(copy: Copy, *, ask: bool = False) -> list[str]:
    return [problem.code for problem in verbs.verify_study(copy.study, ask=ask).problems]


def is_score(body: dict) -> bool:
    return body["kind"] == "score" and len(body["spec"]["models"]) > 1


def changed_score(copy: Copy) -> None:
    score = copy.bodies("score")[0]["id"]
    copy.change(lambda body: body.get("id") == score, raised_score, sealed=False)


def changed_score_with_its_digest(copy: Copy) -> None:
    score = copy.bodies("score")[0]["id"]
    copy.change(lambda body: body.get("id") == score, raised_score)


def raised_score(body: dict) -> None:
    for scores in body["each"][0].values():
        scores["map_at_r"] += 0.001


def changed_class_score(copy: Copy) -> None:
    score = copy.bodies("score")[-1]["id"]

    def raise_class(body: dict) -> None:
        body["each"][0]["cosine"]["map_at_r_per_class"][0] += 0.01

    copy.change(lambda body: body.get("id") == score, raise_class)


def dropped_seed(copy: Copy) -> None:
    runs = {body["id"] for body in copy.bodies("run") if is_run("final", SECOND, index=1)(body)}
    copy.drop(lambda body: body.get("id") in runs or (is_scored(body) and bool(runs & set(body["spec"]["models"]))))


def is_scored(body: dict) -> bool:
    return body["kind"] == "score"


def duplicate_seed(copy: Copy) -> None:
    (first,) = (body for body in copy.bodies("run") if is_run("final", FIRST, index=0, fold=0)(body))
    results = {name: first[name] for name in ("best", "curve", "phases", "training", "weights")}
    copy.change(is_run("final", FIRST, index=1, fold=0), lambda body: body.update(results))


def dropped_model(copy: Copy) -> None:
    copy.drop(is_run("final", FIRST, index=1, fold=1))


def duplicate_record(copy: Copy) -> None:
    copy.write([*copy.lines(), copy.lines()[-1]])


def another_protocol(copy: Copy) -> None:
    copy.change(is_run("search", FIRST, index=0, fold=0), lambda body: with_spec(body, root=8))


def unrecorded_opening(copy: Copy) -> None:
    copy.drop(lambda body: body["kind"] == "opening")


def opening_of_other_claims(copy: Copy) -> None:
    copy.change(lambda body: body["kind"] == "opening", lambda body: body["claims"].update(smallest_difference=5.0))


def swapped_labels(copy: Copy) -> None:
    def swap(body: dict) -> None:
        searches = body["searches"]
        searches[FIRST], searches[SECOND] = searches[SECOND], searches[FIRST]

    copy.change(lambda body: body["kind"] == "opening", swap)


def late_opening(copy: Copy) -> None:
    notes = copy.pack.with_name("attempts.jsonl.gz")
    lines = [json.loads(line) for line in gzip.decompress(notes.read_bytes()).decode().splitlines()]
    for note in lines:
        if note["kind"] == "opened":
            note["time"] = "2999-01-01T00:00:00.000+00:00"
    notes.write_bytes(gzip.compress("".join(json.dumps(note) + "\n" for note in lines).encode()))


def changed_csv_cell(copy: Copy) -> None:
    lines = (copy.report / "tables.csv").read_text().splitlines()
    cell = lines[1].split(",")[6]
    copy.replace("tables.csv", f",{cell},", f",{float(cell) + 0.01:.2f},")


def changed_differences_cell(copy: Copy) -> None:
    copy.replace("differences.csv", ",undecided,", ",better,")


def changed_seeds_cell(copy: Copy) -> None:
    path = copy.report / "seeds.csv"
    line = path.read_text().splitlines()[2]
    cell = line.split(",")[-1]
    copy.replace("seeds.csv", line, f"{line.removesuffix(cell)}{float(cell) + 0.001:.6f}")


def changed_setting_in_the_table(copy: Copy) -> None:
    line = (copy.report / "settings.csv").read_text().splitlines()[1]
    value = line.split(",")[7]
    copy.replace("settings.csv", line, line.replace(value, str(float(value) + 0.01), 1))


def changed_json_value(copy: Copy) -> None:
    def raise_mean(body: dict) -> None:
        body["datasets"][0]["rows"][1]["cells"][0]["values"][0] += 1e-5

    copy.edit_json(raise_mean)


def changed_interval(copy: Copy) -> None:
    def narrow(body: dict) -> None:
        body["datasets"][0]["rows"][0]["cells"][2]["interval"]["low"] += 1e-4

    copy.edit_json(narrow)


def changed_p_value(copy: Copy) -> None:
    copy.edit_json(lambda body: body["datasets"][0]["comparisons"][0].update(p_holm=0.04))


def changed_latex_cell(copy: Copy) -> None:
    text = (copy.report / "tables.tex").read_text()
    cell = re.search(r"\$(\d+\.\d\d) ", text)[1]
    copy.replace("tables.tex", f"${cell} ", f"${float(cell) + 0.01:.2f} ")


def changed_markdown_cell(copy: Copy) -> None:
    text = (copy.report / "tables.md").read_text()
    cell = re.search(r"\| (\d+\.\d\d) ± ", text)[1]
    copy.replace("tables.md", f"| {cell} ± ", f"| {float(cell) + 0.01:.2f} ± ")


def changed_page_cell(copy: Copy) -> None:
    text = (copy.report / "index.html").read_text()
    cell = re.search(r">(\d+\.\d\d)<span class=\"half\">", text)[1]
    copy.replace("index.html", f'>{cell}<span class="half">', f'>{float(cell) + 0.01:.2f}<span class="half">')


def changed_class_count(copy: Copy) -> None:
    text = (copy.report / "tables.md").read_text()
    row = re.search(r"Largest losses \|\n\|[^\n]*\n(\|[^\n]*\n)", text)[1]
    cells = row.split("|")
    cells[5] = f" {int(cells[5]) + 1} "
    copy.replace("tables.md", row, "|".join(cells))


def bold_loser(copy: Copy) -> None:
    text = (copy.report / "tables.md").read_text()
    bold = re.search(r"\*\*(\d+\.\d\d ± [^*|]*)\*\*", text)[1]
    copy.replace("tables.md", f"**{bold}**", bold)


def changed_verdict_word(copy: Copy) -> None:
    copy.replace("tables.md", "| undecided |", "| better |")


def changed_verdict_sentence(copy: Copy) -> None:
    def claim(body: dict) -> None:
        (dataset,) = body["datasets"]
        undecided = f"{SECOND} against {FIRST} is undecided"
        for answers, question in ((dataset, "answer"), (dataset["answers"], "What is undecided?")):
            assert undecided in answers[question]
            answers[question] = answers[question].replace(undecided, f"{SECOND} is better than {FIRST}", 1)

    copy.edit_json(claim)


def changed_headline(copy: Copy) -> None:
    copy.replace("index.html", f"{SECOND} against {FIRST} is undecided", f"{SECOND} is better than {FIRST}")


def swapped_rows(copy: Copy) -> None:
    text = (copy.report / "tables.md").read_text()
    path, escaped = copy.report / "tables.md", SECOND.replace("_", r"\_")
    swapped = text.replace(f"| {FIRST} |", "| X |").replace(f"| {escaped} |", f"| {FIRST} |")
    path.write_text(swapped.replace("| X |", f"| {escaped} |"))


def changed_seed(copy: Copy) -> None:
    copy.change(is_run("final", SECOND, index=1, fold=0), lambda body: with_spec(body, index=2))


def changed_proposal(copy: Copy) -> None:
    """Change the proposal and the runs of its trial, so that all ids fit."""

    def moved(knobs: dict) -> dict:
        return {**knobs, "pos_margin": knobs["pos_margin"] * 0.5}

    copy.change(
        lambda body: body["kind"] == "proposal" and (body["loss"], body["slot"]) == (FIRST, 1),
        lambda body: body.update(knobs=moved(body["knobs"])),
    )
    copy.change(is_run("search", FIRST, index=1), lambda body: with_spec(body, knobs=moved(body["spec"]["knobs"])))


def changed_setting_of_the_chosen(copy: Copy) -> None:
    copy.change(
        is_run("final", FIRST, index=0, fold=0),
        lambda body: with_spec(body, knobs={**body["spec"]["knobs"], "neg_margin": 1.0}),
    )


def wrong_chosen_trial(copy: Copy) -> None:
    """The other trial gets a higher validation score than the one that was retrained."""
    (used,) = {sha256(body["spec"]["knobs"]) for body in copy.bodies("run") if is_run("final", FIRST, fold=0)(body)}

    def win(body: dict) -> None:
        for point in (body["best"], *body["curve"][-1:]):
            point.update(map_at_r=0.99, iteration=body["curve"][-1]["iteration"])
            point.update({name: body["best"][name] for name in ("r_precision", "precision_at_1")})

    trial = is_run("search", FIRST)
    copy.change(lambda body: trial(body) and sha256(body["spec"]["knobs"]) != used, win)


def registration_of_other_claims(copy: Copy) -> None:
    copy.change(
        lambda body: body["kind"] == "registration",
        lambda body: body["claims"]["pictures"].update(baseline=SECOND),
    )


def registration_of_other_files(copy: Copy) -> None:
    def rewrite(body: dict) -> None:
        (name, text), *others = body["files"]
        body["files"] = [[name, text.replace("smallest_difference: 0.5", "smallest_difference: 0.1")], *others]
        about = {"registration": body["study"], "files": body["files"], "code": body["code"], "plans": body["plans"]}
        body["id"] = sha256(about)

    copy.change(lambda body: body["kind"] == "registration", rewrite)


def damaged_pack(copy: Copy) -> None:
    copy.pack.write_bytes(copy.pack.read_bytes()[:-200])


def missing_trial(copy: Copy) -> None:
    copy.drop(lambda body: body["kind"] == "proposal" and (body["loss"], body["slot"]) == (FIRST, 0))


def trial_beyond(copy: Copy) -> None:
    body = next(body for body in copy.bodies("proposal") if body["slot"] == 1)
    more = {**body, "slot": 2, "id": sha256({"proposal": body["search"], "slot": 2})}
    copy.add(more)


def undeclared_score(copy: Copy) -> None:
    scores = [body for body in copy.bodies("score") if is_score(body)]
    mixed = copying.deepcopy(scores[0])
    mixed["spec"]["models"] = [scores[0]["spec"]["models"][0], scores[1]["spec"]["models"][1]]
    mixed["id"] = sha256(mixed["spec"])
    copy.add(mixed)


def changed_curve(copy: Copy) -> None:
    copy.change(is_run("final", FIRST, index=0, fold=0), lambda body: body["best"].update(map_at_r=0.123))


def changed_study_file(copy: Copy) -> None:
    def loosen(body: dict) -> None:
        (name, text), *others = body["files"]
        body["files"] = [[name, text.replace("smallest_difference: 0.5", "smallest_difference: 50")], *others]

    copy.change(lambda body: body["kind"] == "files", loosen)


def changed_deviation(copy: Copy) -> None:
    def add(body: dict) -> None:
        body["registrations"][0]["deviations"]["pictures"] = ["primary changed"]

    copy.edit_json(add)


def changed_deviation_on_the_page(copy: Copy) -> None:
    copy.replace("index.html", "The study has its claims", "Deviations on pictures: primary changed. It has its claims")


def page_of_other_records(copy: Copy) -> None:
    page = (copy.report / "index.html").read_text()
    digest = re.search(r"SHA-256 <code>([0-9a-f]{64})", page)[1]
    copy.replace("index.html", digest, sha256("another ledger"))


def missing_file(copy: Copy) -> None:
    (copy.report / "tables.csv").unlink()


TAMPERINGS = {
    changed_score: "ledger-damaged",
    changed_score_with_its_digest: "score-inconsistent",
    changed_class_score: "score-inconsistent",
    dropped_seed: "table-differs",
    dropped_model: "score-inconsistent",
    duplicate_seed: "run-repeated",
    duplicate_record: "record-duplicate",
    another_protocol: "record-foreign",
    unrecorded_opening: "opening-missing",
    opening_of_other_claims: "opening-differs",
    swapped_labels: "opening-differs",
    late_opening: "opening-late",
    changed_csv_cell: "cell-differs",
    changed_differences_cell: "cell-differs",
    changed_seeds_cell: "cell-differs",
    changed_setting_in_the_table: "cell-differs",
    changed_json_value: "table-differs",
    changed_interval: "table-differs",
    changed_p_value: "table-differs",
    changed_latex_cell: "cell-differs",
    changed_markdown_cell: "cell-differs",
    changed_page_cell: "cell-differs",
    changed_class_count: "cell-differs",
    bold_loser: "cell-differs",
    changed_verdict_word: "cell-differs",
    changed_verdict_sentence: "sentence-differs",
    changed_headline: "sentence-differs",
    swapped_rows: "cell-differs",
    changed_seed: "seed-beyond",
    changed_setting_of_the_chosen: "setting-differs",
    wrong_chosen_trial: "setting-differs",
    registration_of_other_claims: "registration-differs",
    registration_of_other_files: "registration-differs",
    damaged_pack: "ledger-damaged",
    missing_trial: "trial-missing",
    trial_beyond: "trial-beyond",
    undeclared_score: "score-undeclared",
    changed_curve: "run-inconsistent",
    changed_study_file: "table-differs",
    changed_deviation: "table-differs",
    changed_deviation_on_the_page: "sentence-differs",
    page_of_other_records: "page-of-other-records",
    missing_file: "report-incomplete",
}


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_a_change_by_hand_is_found(reported: Copy, tmp_path: Path, tamper):
    copy = reported.copied(tmp_path / "home")
    assert found(copy) == []
    tamper(copy)
    assert TAMPERINGS[tamper] in found(copy)


def test_a_changed_proposal_is_found_by_asking_again(reported: Copy, tmp_path: Path):
    copy = reported.copied(tmp_path / "home")
    assert found(copy, ask=True) == []
    changed_proposal(copy)
    assert "proposal-differs" in found(copy, ask=True)
