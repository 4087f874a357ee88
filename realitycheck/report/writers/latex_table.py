"""Tables as LaTeX that fit one or both columns of a page of two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from string import ascii_lowercase

from realitycheck.report.blocks import Column, Content, Estimate, LatexTable, Marked, RowGroup, Text, pieces
from realitycheck.report.wording import points

SPECIALS = {
    "±": r"$\pm$",
    "−": r"$-$",
    "–": "--",
    "κ": r"$\kappa$",
    "×": r"$\times$",
    "√": r"$\surd$",
    "→": r"$\to$",
    "<": "$<$",
    ">": "$>$",
    "…": r"\ldots{}",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


PREAMBLE = r"""% Tables of a study, made by Reality Check. In the preamble: \usepackage{booktabs,graphicx}
% table* takes both columns of a page, table one. Take those that you need. One that is wider is scaled down to fit.
"""

SIZES = {True: r"\scriptsize", False: r"\footnotesize"}
"""With these, three categories of three scores fit both columns (7 in), and one category fits one (3.5 in)."""


def latex_text(tables: Iterable[LatexTable]) -> str:
    """Render all tables of a report as one file."""
    return "\n".join([PREAMBLE, *map(latex_table, tables)])


def latex_table(paper: LatexTable) -> str:
    """Render one table, with its notes below it."""
    table, kind = paper.table, "table*" if paper.wide else "table"
    letters = _letters(table.groups)
    return "\n".join(
        [
            f"% {' '.join(paper.about.split())}",
            rf"\begin{{{kind}}}[t]",
            r"\centering",
            SIZES[paper.wide],
            r"\setlength{\tabcolsep}{3pt}",
            rf"\caption{{{_tex(table.caption)}}}",
            rf"\label{{{paper.label}}}",
            r"\par\smallskip",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{@{{}}{''.join('r' if column.number else 'l' for column in table.columns)}@{{}}}}",
            r"\toprule",
            *_group_heads(table.columns),
            " & ".join(tex_escape(column.head) for column in table.columns) + r" \\",
            r"\midrule",
            *_body(table.groups, letters),
            r"\bottomrule",
            r"\end{tabular}}",
            *map(_note, [*_legend(letters), *map(_tex, table.notes)]),
            rf"\end{{{kind}}}",
            "",
        ]
    )


def tex_escape(text: str) -> str:
    """Text in which no character is a command."""
    return "".join(SPECIALS.get(mark, mark) for mark in text)


def _group_heads(columns: tuple[Column, ...]) -> list[str]:
    """A row of the headings that several columns share, with a rule below each."""
    if not any(column.group for column in columns):
        return []
    cells, rules, start = [], [], 1
    for name, group in groupby(columns, key=lambda column: column.group):
        width = len(list(group))
        cells += [rf"\multicolumn{{{width}}}{{c}}{{{tex_escape(name)}}}"] if name else [""] * width
        rules += [rf"\cmidrule(lr){{{start}-{start + width - 1}}}"] if name else []
        start += width
    return [" & ".join(cells) + r" \\", "".join(rules)]


def _letters(groups: tuple[RowGroup, ...]) -> dict[str, str]:
    """Mark of a row → the letter beside its label, which is narrower."""
    cells = (cell for group in groups for line in group.lines for cell in line if isinstance(cell, Marked))
    return dict(zip(dict.fromkeys(mark for cell in cells for mark in cell.marks), ascii_lowercase, strict=False))


def _legend(letters: Mapping[str, str]) -> list[str]:
    """What the letters say, as one note; none without marks."""
    return ["; ".join(rf"$^{{{letter}}}$ {tex_escape(mark)}" for mark, letter in letters.items())] if letters else []


def _note(text: str) -> str:
    return rf"\par\smallskip\parbox{{\linewidth}}{{\scriptsize {text}}}"


def _body(groups: tuple[RowGroup, ...], letters: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    for group in groups:
        lines += [r"\midrule"] if lines else []
        lines += [" & ".join(_content(cell, letters) for cell in line) + r" \\" for line in group.lines]
    return lines


def _content(content: Content, letters: Mapping[str, str]) -> str:
    match content:
        case Estimate():
            return _estimate(content)
        case Marked():
            named = ",".join(letters[mark] for mark in content.marks)
            return tex_escape(content.text) + (rf"$^{{{named}}}$" if named else "")
        case str():
            return tex_escape(content)
        case _:
            return tex_escape(content.text)


def _estimate(content: Estimate) -> str:
    if content.mean is None:
        return "--"
    half = "" if content.half_width is None else rf" \pm {points(content.half_width)}"
    inner = "" if content.retraining is None else f"\\ ({points(content.retraining)})"
    text = f"{points(content.mean)}{half}{inner}"
    return rf"$\mathbf{{{text}}}$" if content.best else f"${text}$"


def _tex(text: Text) -> str:
    plain = "".join(piece if isinstance(piece, str) else piece.text for piece in pieces(text))
    return tex_escape(plain)
