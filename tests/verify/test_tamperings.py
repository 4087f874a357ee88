"""Each way to change a study or its report by hand is found, and the untouched study holds."""

from __future__ import annotations

import copy as copying
import gzip
import json
from pathlib import Path

import pytest
import tampered_files
import tampered_lists
from tampered import FIRST, SECOND, Copy, is_run, sha256, with_spec

from realitycheck import verbs


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


TAMPERINGS = {
    tampered_lists.another_query: "opening-differs",
    tampered_lists.queries_of_a_chosen_class: "opening-differs",
    tampered_lists.wrong_neighbor_made_right: "neighbors-inconsistent",
    tampered_lists.nearer_first_right: "neighbors-inconsistent",
    tampered_lists.other_digest_of_a_neighbor: "neighbors-inconsistent",
    tampered_lists.renamed_classes: "opening-differs",
    tampered_lists.list_of_other_models: "record-foreign",
    tampered_files.uncited_reference: "reference-differs",
    tampered_files.missing_reference: "reference-differs",
    tampered_files.changed_methods: "sentence-differs",
    tampered_files.changed_paper_difference: "cell-differs",
    tampered_files.changed_neighbor: "cell-differs",
    tampered_files.changed_neighbor_in_json: "table-differs",
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
    tampered_files.changed_csv_cell: "cell-differs",
    tampered_files.changed_differences_cell: "cell-differs",
    tampered_files.changed_p_value_against_untrained: "cell-differs",
    tampered_files.hidden_openings_of_others: "sentence-differs",
    tampered_files.changed_order_of_classes: "sentence-differs",
    tampered_files.changed_seeds_cell: "cell-differs",
    tampered_files.changed_setting_in_the_table: "cell-differs",
    tampered_files.changed_json_value: "table-differs",
    tampered_files.changed_interval: "table-differs",
    tampered_files.changed_p_value: "table-differs",
    tampered_files.changed_latex_cell: "cell-differs",
    tampered_files.changed_markdown_cell: "cell-differs",
    tampered_files.changed_page_cell: "cell-differs",
    tampered_files.changed_class_count: "cell-differs",
    tampered_files.bold_loser: "cell-differs",
    tampered_files.changed_verdict_word: "cell-differs",
    tampered_files.changed_verdict_sentence: "sentence-differs",
    tampered_files.changed_headline: "sentence-differs",
    tampered_files.invented_detectable_difference: "sentence-differs",
    tampered_files.swapped_rows: "cell-differs",
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
    tampered_files.changed_deviation: "table-differs",
    tampered_files.changed_deviation_on_the_page: "sentence-differs",
    tampered_files.page_of_other_records: "page-of-other-records",
    tampered_files.missing_file: "report-incomplete",
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
