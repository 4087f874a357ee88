"""Every block in every format that prints blocks; text from outside stays text."""

from __future__ import annotations

import typing
from dataclasses import replace

import pytest
from pages import Seen

from realitycheck.report.blocks import (
    Badge,
    Banner,
    Block,
    Code,
    Column,
    Content,
    Estimate,
    Figure,
    Folded,
    Heading,
    LatexTable,
    Link,
    Marked,
    Note,
    Paragraph,
    RowGroup,
    Strong,
    Table,
    Terms,
    Verbatim,
    rows_of,
)
from realitycheck.report.writers.html_page import block_html, page
from realitycheck.report.writers.latex_table import latex_table
from realitycheck.report.writers.markdown_text import block_markdown, markdown
from realitycheck.statistics.intervals import Interval

HOSTILE = "</style><script>alert(1)</script>\"'&=|*_`\\input{x}"

PIECES = (HOSTILE, Strong(HOSTILE), Code(HOSTILE.replace("`", "")), Link(HOSTILE, "a.html"))
CELLS = (
    HOSTILE,
    Strong(HOSTILE),
    Marked(HOSTILE, (HOSTILE,), below=HOSTILE),
    Estimate(0.5, 0.01, best=True),
    Badge(HOSTILE, "better"),
    Folded(HOSTILE),
)
TABLE = Table(
    (Column("Loss"), *(Column(HOSTILE, number=True, group=HOSTILE) for _ in CELLS[1:])),
    (*rows_of([CELLS]), RowGroup((CELLS[1:], CELLS[1:]), head=Marked(HOSTILE), muted=True)),
    caption=PIECES,
    notes=(HOSTILE, PIECES),
)
BLOCKS = (
    Heading(2, HOSTILE, anchor="here"),
    Paragraph(PIECES, lead=True),
    Note(HOSTILE),
    Banner(PIECES, (HOSTILE,)),
    Terms(((HOSTILE, HOSTILE),)),
    Verbatim(HOSTILE),
    Figure("scores-x", "<?xml?><svg ><title>x</title></svg>", HOSTILE, HOSTILE),
    TABLE,
)


def test_every_kind_of_block_and_cell_is_here():
    assert {type(block) for block in BLOCKS} == set(typing.get_args(Block))
    assert {type(cell) for cell in CELLS} == set(typing.get_args(Content))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_html_is_escaped_and_closed(block):
    seen = Seen(block_html(block))
    assert seen.open == []
    assert "script" not in seen.tags
    assert "alert(1)" in seen.text


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_markdown_is_escaped(block):
    text = block_markdown(block)
    if isinstance(block, Verbatim):
        return
    assert "<script" not in text.replace("\\<", "").replace(f"`{PIECES[2].text}`", "")
    assert "|" not in text.replace("\\|", "").replace(f"`{PIECES[2].text}`", "") or isinstance(block, Table)


def test_latex_has_no_foreign_command():
    assert r"\input" not in latex_table(LatexTable(TABLE, "tab:x", "about", wide=True))


def test_a_table_in_html():
    table = Table(
        (Column("Loss"), Column("A", number=True, group="G"), Column("B", number=True, group="G"), Column("C")),
        (
            RowGroup((("a", Estimate(0.5, 0.01, best=True), Estimate(0.25, None), Estimate(None, None)),)),
            RowGroup((("1", "2", "3"), ("4", "5", "6")), head="b", muted=True),
        ),
    )
    html = block_html(table)
    assert '<td></td><th class="group" colspan="2" scope="colgroup">G</th><td></td>' in html
    assert '<th class="n first" scope="col">A</th><th class="n" scope="col">B</th><th scope="col">C</th>' in html
    assert (
        '<td class="n first"><b>50.00</b><span class="half"> ± 1.00</span></td><td class="n">25.00</td><td>–</td>'
        in html
    )
    assert '<tbody class="muted">\n<tr><th scope="rowgroup" rowspan="2">b</th><td class="n first">1</td>' in html
    assert '<tr><td class="n first">4</td>' in html


def test_a_table_in_markdown():
    table = Table(
        (Column("Loss"), Column("A", number=True, group="G")),
        (RowGroup((("1",), (Estimate(0.5, 0.01, best=True),)), head=Marked("b_c", ("x",))),),
        caption="About.",
        notes=("More.",),
    )
    assert block_markdown(table).split("\n") == [
        *("About.", "", "| Loss | G A |", "| --- | ---: |", "| b\\_c (x) | 1 |"),
        *("| b\\_c (x) | **50.00 ± 1.00** |", "", "More."),
    ]


def test_a_table_in_latex():
    table = Table(
        (Column("Loss"), Column("A", number=True, group="G"), Column("B", number=True, group="G")),
        (
            RowGroup((("a_b", Estimate(0.5, 0.01, best=True), Estimate(None, None)),)),
            RowGroup((("c", Estimate(0.25, None), "x"),)),
        ),
        caption="5 %; ±.",
        notes=("Note.",),
    )
    paper = LatexTable(table, "tab:x", "An\nexample.", wide=True)
    assert latex_table(paper).splitlines() == [
        *("% An example.", r"\begin{table*}[t]", r"\centering", r"\scriptsize", r"\setlength{\tabcolsep}{3pt}"),
        *(r"\caption{5 \%; $\pm$.}", r"\label{tab:x}", r"\par\smallskip"),
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        *(r"\begin{tabular}{@{}lrr@{}}", r"\toprule"),
        *(r" & \multicolumn{2}{c}{G} \\", r"\cmidrule(lr){2-3}", r"Loss & A & B \\", r"\midrule"),
        *(r"a\_b & $\mathbf{50.00 \pm 1.00}$ & -- \\", r"\midrule", r"c & $25.00$ & x \\"),
        *(r"\bottomrule", r"\end{tabular}}", r"\par\smallskip\parbox{\linewidth}{\scriptsize Note.}"),
        r"\end{table*}",
    ]
    narrow = latex_table(replace(paper, wide=False))
    assert r"\begin{table}[t]" in narrow
    assert r"\footnotesize" in narrow


def test_a_page_has_a_header_and_a_section_for_each_heading():
    text = page("T", [Heading(1, "One"), Heading(2, "Two"), Note("n"), Heading(2, "Three")], [Paragraph("end")])
    body = "".join(text.split('<main id="main">')[1].split("</main>")[0].split("\n"))
    assert body == (
        '<header><h1>One</h1></header><section aria-labelledby="two"><h2 id="two">Two</h2>'
        '<p class="note">n</p></section>'
        '<section aria-labelledby="three"><h2 id="three">Three</h2></section>'
    )
    assert "<p>end</p>" in text.split("<footer>")[1]


def test_links_within_the_page_are_plain_in_markdown():
    text = markdown([Paragraph((Link("here", "#anchor"), " and ", Link("there", "b.html")))])
    assert text == "here and [there](b.html)\n"


def test_a_fence_is_longer_than_any_in_the_text():
    assert block_markdown(Verbatim("a\n````\nb\n")) == "`````\na\n````\nb\n`````"


def test_an_estimate_has_the_interval_over_seeds_where_it_is_another_one():
    wide, narrow = (Interval(0.5, 0.5 - half, 0.5 + half, 0.95, 4, "", "") for half in (0.25, 0.125))
    assert Estimate.of(0.5, wide, narrow) == Estimate(0.5, 0.25, retraining=0.125)
    assert Estimate.of(0.5, wide, wide) == Estimate.of(0.5, wide, None) == Estimate(0.5, 0.25)
    assert Estimate.of(0.5, None, narrow) == Estimate(0.5, None)
