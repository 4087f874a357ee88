"""The references of the methods text as BibTeX."""

from __future__ import annotations

import re
import unicodedata

from realitycheck.losses.papers import PAPERS
from realitycheck.report.findings import Findings
from realitycheck.report.study_facts import LossFacts
from realitycheck.report.writers.latex_table import tex_escape

ENTRIES = {
    "musgrave2020": r"""@inproceedings{musgrave2020,
  author = {Musgrave, Kevin and Belongie, Serge and Lim, Ser-Nam},
  title = {A Metric Learning Reality Check},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year = {2020},
  note = {arXiv:2003.08505}
}""",
    "demoor2024": r"""@misc{demoor2024,
  author = {DeMoor and Prevost},
  title = {Realigned Softmax Warping for Deep Metric Learning},
  year = {2024},
  note = {arXiv:2408.15656, Appendix D}
}""",
    "akiba2019": r"""@inproceedings{akiba2019,
  author = {Akiba, Takuya and Sano, Shotaro and Yanase, Toshihiko and Ohta, Takeru and Koyama, Masanori},
  title = {Optuna: A Next-generation Hyperparameter Optimization Framework},
  booktitle = {ACM SIGKDD International Conference on Knowledge Discovery and Data Mining},
  year = {2019}
}""",
    "holm1979": r"""@article{holm1979,
  author = {Holm, Sture},
  title = {A Simple Sequentially Rejective Multiple Test Procedure},
  journal = {Scandinavian Journal of Statistics},
  volume = {6},
  pages = {65--70},
  year = {1979}
}""",
    "romano2005": r"""@article{romano2005,
  author = {Romano, Joseph P. and Wolf, Michael},
  title = {Exact and Approximate Stepdown Methods for Multiple Hypothesis Testing},
  journal = {Journal of the American Statistical Association},
  volume = {100},
  number = {469},
  pages = {94--108},
  year = {2005}
}""",
    "mogstad2024": r"""@article{mogstad2024,
  author = {Mogstad, Magne and Romano, Joseph P. and Shaikh, Azeem M. and Wilhelm, Daniel},
  title = {Inference for Ranks with Applications to Mobility across Neighbourhoods and Academic Achievement across
           Countries},
  journal = {The Review of Economic Studies},
  volume = {91},
  number = {1},
  pages = {476--518},
  year = {2024}
}""",
    "schuirmann1987": r"""@article{schuirmann1987,
  author = {Schuirmann, Donald J.},
  title = {A Comparison of the Two One-Sided Tests Procedure and the Power Approach for Assessing the Equivalence of
           Average Bioavailability},
  journal = {Journal of Pharmacokinetics and Biopharmaceutics},
  volume = {15},
  pages = {657--680},
  year = {1987}
}""",
}
"""Key → entry of everything but losses and data; `methods_text` cites those that a study uses."""

RANKS = ("romano2005", "mogstad2024")
"""Cited where ranks are printed."""


def cited(findings: Findings) -> dict[str, str]:
    """Key → entry of all that the methods text of a study cites, each once."""
    general = {key: text for key, text in ENTRIES.items() if key not in RANKS or prints_ranks(findings)}
    losses = {key: text for loss in findings.study.losses for key, text in _of_loss(loss).items()}
    data = {key: _of_data(key, text) for key, text in data_keys(findings).items()}
    return losses | data | general


def data_keys(findings: Findings) -> dict[str, str]:
    """Key → the sentence of each source of data or weights that has one."""
    return {f"data{number}": text for number, text in enumerate(filter(None, findings.credit), 1)}


def prints_ranks(findings: Findings) -> bool:
    """Whether ranks are printed on a dataset."""
    return any(dataset.ranks is not None for dataset in findings.datasets)


def loss_keys(loss: LossFacts) -> tuple[str, ...]:
    """The keys of a loss's papers; of a wrapped loss those of both."""
    return tuple(_of_loss(loss))


def _of_loss(loss: LossFacts) -> dict[str, str]:
    """The papers of a loss by author and year, as the menu has them."""
    entries = {}
    for reference in loss.reference.split("; "):
        if match := re.fullmatch(r"(.+?)( et al\.)?, (\d{4})", reference):
            names, others, year = match.groups()
            letters = unicodedata.normalize("NFKD", names.split(" and ")[0]).encode("ascii", "ignore").decode()
            key = re.sub(r"[^a-z]", "", letters.lower()) + year
            author = f"{names}{' and others' if others else ''}"
            title, place = PAPERS.get(reference, (f"({loss.address}: add the title of this paper)", "add its place"))
            fields = {"author": author, "title": f"{{{tex_escape(title)}}}", "howpublished": place, "year": year}
            lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
            entries[key] = f"@misc{{{key},\n{lines}\n}}"
    return entries


def _of_data(key: str, credit: str) -> str:
    title = tex_escape(" ".join(credit.split()))
    return f"@misc{{{key},\n  key = {{{key}}},\n  title = {{{{{title}}}}}\n}}"  # BibTeX sorts by `key`


def references(findings: Findings) -> str:
    """Render the references; losses are named as comments, with author and year."""
    losses = [f"% {' '.join(loss.label.split())}: {loss.reference}" for loss in findings.study.losses if loss.reference]
    # Outside of entries BibTeX ignores everything but this sign.
    named = "\n".join(losses).replace("@", "(at)")
    return "\n\n".join([*cited(findings).values(), named]) + "\n"
