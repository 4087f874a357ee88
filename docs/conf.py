"""The site of the documentation: `make docs` builds it from README.md, CHANGELOG.md and docs/, without a network.

The sources are those of the whole repository, so that a link between pages is the same here and on a code host.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from site_parts import formulas, links  # noqa: E402 - the path is set above

import realitycheck  # noqa: E402 - the same

project = "Reality Check"
author = copyright = "Reality Check developers"
version = release = realitycheck.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["README.md", "CHANGELOG.md", "docs/**.md"]
exclude_patterns = [".*", "realitycheck", "tests", "studies", "protocols", "reports", "data", "weights", "build"]
exclude_patterns += ["docs/measured/searches", "docs/site_parts"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 5
myst_dmath_allow_labels = False

default_role = "code"  # what docstrings have between single backticks
autodoc_member_order = "bysource"
autodoc_typehints, autodoc_typehints_format = "description", "short"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 68

html_theme = "furo"
html_title = f"Reality Check {version}"
html_math_renderer = "matplotlib"
html_copy_source = html_show_sourcelink = False
html_show_search_summary = False  # it would be fetched from a server, and the site is read from a disk as well
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"


def setup(app: Sphinx) -> None:
    """Draw formulas without a script, and let links lead where they lead on a code host."""
    app.add_lexer("csv", TextLexer)  # Pygments has none
    formulas.connect(app)
    links.connect(app)
