"""Links as on a code host: contents from lists of links, folders, and files that are no pages."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
BULLET = re.compile(r"^- \[([^\]]*)\]\(([^)#]+)\.md\)", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)#\s]+)\)")
REPORT = re.compile(r"\breports/\w+/tables\.md$")
GLOBS = {"docs/decisions/README": "0*", "docs/measured/README": "*"}
"""Pages of folders, and the pages below them."""


def connect(app: Sphinx) -> None:
    """Rewrite what a page says before it is parsed, and its links to files after it."""
    app.connect("source-read", _read)
    app.connect("doctree-read", _open_reports, priority=100)  # before the files to download are collected
    app.connect("build-finished", _finish)


def _read(app: Sphinx, page: str, content: list[str]) -> None:
    content[0] = LINK.sub(lambda link: _of_folder(link, page), content[0])
    if page == app.config.root_doc:
        content[0] = _with_contents(content[0])
    if page in GLOBS:
        content[0] += _tree([GLOBS[page]], options=":glob:\n")


def _of_folder(link: re.Match[str], page: str) -> str:
    """The link itself; to a report in Markdown, one to its page; to a folder, one to its README, or only its text."""
    text, target = link.groups()
    folder = (ROOT / page).parent / target
    if REPORT.search(target):
        return f"[{text}]({target.removesuffix('tables.md')}index.html)"
    if not folder.is_dir():
        return link[0]
    return f"[{text}]({target.rstrip('/')}/README.md)" if (folder / "README.md").is_file() else text


def _with_contents(text: str) -> str:
    """The page with a hidden tree of contents for the list below each heading."""
    head, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    for section in sections:
        caption = section.partition("\n")[0]
        pages = [f"{title} <{page}>" for title, page in BULLET.findall(section)]
        head += f"## {section}" + _tree(pages, options=f":hidden:\n:caption: {caption}\n")
    return head


def _tree(pages: list[str], *, options: str) -> str:
    return "\n".join(["", "```{toctree}", f"{options}:maxdepth: 1", "", *pages, "```", ""])


def _open_reports(app: Sphinx, tree: nodes.document) -> None:
    """Let links to the committed reports open them, as links to pages do, in place of a download."""
    folder = (ROOT / app.env.current_document.docname).parent
    for link in list(tree.findall(addnodes.download_reference)):
        target = (folder / link["reftarget"]).resolve()
        if target.is_relative_to(ROOT / "reports"):
            link.replace_self(nodes.reference("", "", *link.children, refuri=link["reftarget"], internal=True))


def _finish(app: Sphinx, error: Exception | None) -> None:
    """Put the reports beside the pages, and an entry into the folder of the site."""
    if error is None and app.builder.name == "html":
        shutil.copytree(ROOT / "reports", app.outdir / "reports", dirs_exist_ok=True)
        entry = f'<!doctype html><meta http-equiv="refresh" content="0; url={app.config.root_doc}.html">'
        (app.outdir / "index.html").write_text(f"{entry}<title>Reality Check</title>\n", encoding="utf-8")
