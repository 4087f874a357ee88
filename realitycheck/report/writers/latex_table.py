"""Tables as LaTeX, in the layout of the published tables; they need `\\usepackage{booktabs}`."""

from __future__ import annotations

from itertools import groupby

from realitycheck.report.blocks import Column, Content, Estimate, Marked, RowGroup, Table, Text, pieces
from realitycheck.report.wording import marked, points

SPECIALS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


def latex_table(table: Table) -> str:
    """Render one table; its notes follow the caption."""
    caption = tex_escape(" ".join(_plain(text) for text in (table.caption, *table.notes))).replace("±", r"$\pm$")
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{caption}}}",
            rf"\begin{{tabular}}{{{''.join('r' if column.number else 'l' for column in table.columns)}}}",
            r"\toprule",
            *_group_heads(table.columns),
            " & ".join(tex_escape(column.head) for column in table.columns) + r" \\",
            r"\midrule",
            *_body(table.groups),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
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


def _body(groups: tuple[RowGroup, ...]) -> list[str]:
    lines: list[str] = []
    for group in groups:
        lines += [r"\midrule"] if lines else []
        lines += [" & ".join(map(_content, line)) + r" \\" for line in group.lines]
    return lines


def _content(content: Content) -> str:
    match content:
        case Estimate():
            return _estimate(content)
        case Marked():
            return tex_escape(marked(content.text, content.marks))
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


def _plain(text: Text) -> str:
    return "".join(piece if isinstance(piece, str) else piece.text for piece in pieces(text))
