"""The references of the methods text as BibTeX."""

from __future__ import annotations

from realitycheck.report.findings import Findings

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
"""Key → entry; `methods_text` cites each of them."""


def references(findings: Findings) -> str:
    """Render the references; losses and data are named as comments, with author and year."""
    losses = [f"% {' '.join(loss.label.split())}: {loss.reference}" for loss in findings.study.losses if loss.reference]
    data = [f"% data: {' '.join(sentence.split())}" for sentence in findings.credit]
    # Outside of entries BibTeX ignores everything but this sign.
    named = "\n".join([*losses, *data]).replace("@", "(at)")
    return "\n\n".join([*ENTRIES.values(), named]) + "\n"
