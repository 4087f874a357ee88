"""Ways to change the files of a report by hand."""

from __future__ import annotations

import re

from tampered import FIRST, SECOND, Copy, sha256


def changed_csv_cell(copy: Copy) -> None:
    lines = (copy.report / "tables.csv").read_text().splitlines()
    cell = lines[1].split(",")[6]
    copy.replace("tables.csv", f",{cell},", f",{float(cell) + 0.01:.2f},")


def changed_differences_cell(copy: Copy) -> None:
    copy.replace("differences.csv", ",undecided,", ",better,")


def changed_p_value_against_untrained(copy: Copy) -> None:
    lines = (copy.report / "untrained.csv").read_text().splitlines()
    cell = lines[1].split(",")[11]
    copy.replace("untrained.csv", lines[1], lines[1].replace(f",{cell},", f",{float(cell) / 2:.4g},"))


def hidden_openings_of_others(copy: Copy) -> None:
    copy.replace("index.html", "Those of other studies are not known to this page", "There are no others")


def changed_order_of_classes(copy: Copy) -> None:
    copy.replace("methods.tex", "in their sorted order, as in the original", "in an order drawn once")


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


def changed_neighbor(copy: Copy) -> None:
    page = (copy.report / "index.html").read_text()
    wrong = re.search(r"<td>✗ [^<]*</td>", page)[0]
    copy.replace("index.html", wrong, "<td>✓</td>")


def changed_neighbor_in_json(copy: Copy) -> None:
    copy.edit_json(lambda body: body["datasets"][0]["neighbors"]["rows"][0]["nearest"][0][0].update(name="other.png"))


def uncited_reference(copy: Copy) -> None:
    more = "@misc{another2023,\n  title = {A paper}\n}\n\n"
    copy.replace("references.bib", "@misc{demoor2024,", f"{more}@misc{{demoor2024,")


def missing_reference(copy: Copy) -> None:
    copy.replace("references.bib", "@article{holm1979,", "@article{holm1980,")


def changed_methods(copy: Copy) -> None:
    copy.replace("methods.tex", "2 fresh seeds", "20 fresh seeds")


def changed_paper_difference(copy: Copy) -> None:
    text = (copy.report / "tables.tex").read_text()
    row = re.search(r"Holm p .*\n.*\n(normalized\\_softmax & \w+ & )(\S+)", text)
    copy.replace("tables.tex", row[1] + row[2], f"{row[1]}9.99")


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


def invented_detectable_difference(copy: Copy) -> None:
    """No verdict can be given here: `runners_up` has to agree, and none are scored."""

    def claim(body: dict) -> None:
        (dataset,) = body["datasets"]
        assert dataset["sensitivity"] == ""
        dataset["sensitivity"] = f"A loss that truly differs from {FIRST} by 1.00 points is called better or worse."

    copy.edit_json(claim)


def changed_headline(copy: Copy) -> None:
    copy.replace("index.html", f"{SECOND} against {FIRST} is undecided", f"{SECOND} is better than {FIRST}")


def swapped_rows(copy: Copy) -> None:
    text = (copy.report / "tables.md").read_text()
    path, escaped = copy.report / "tables.md", SECOND.replace("_", r"\_")
    swapped = text.replace(f"| {FIRST} |", "| X |").replace(f"| {escaped} |", f"| {FIRST} |")
    path.write_text(swapped.replace("| X |", f"| {escaped} |"))


def changed_deviation(copy: Copy) -> None:
    def add(body: dict) -> None:
        body["registrations"][0]["deviations"]["pictures"] = ["primary changed"]

    copy.edit_json(add)


def changed_deviation_on_the_page(copy: Copy) -> None:
    copy.replace(
        "index.html", "Claims, losses and searches are as", "Deviations on pictures: primary changed. The rest is as"
    )


def page_of_other_records(copy: Copy) -> None:
    page = (copy.report / "index.html").read_text()
    digest = re.search(r"SHA-256 <code>([0-9a-f]{64})", page)[1]
    copy.replace("index.html", digest, sha256("another ledger"))


def missing_file(copy: Copy) -> None:
    (copy.report / "tables.csv").unlink()
