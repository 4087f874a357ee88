"""A paper with all that its printed differences support."""

from __future__ import annotations

from dataclasses import dataclass

from realitycheck.report.papers.judged_counts import PaperCounts, count_paper
from realitycheck.report.papers.judged_pairs import JudgedFamily, judge_paper
from realitycheck.report.papers.paper_files import Paper
from realitycheck.report.papers.published_tables import published_papers
from realitycheck.runs import Category


@dataclass(frozen=True, slots=True)
class JudgedPaper:
    """A paper, its families of differences, and what remains of them.

    Args:
        name: the name of its file.
        paper: the file.
        families: by dataset, category, metric and reference.
        counts: what remains.
    """

    name: str
    paper: Paper
    families: tuple[JudgedFamily, ...]
    counts: PaperCounts

    @property
    def short(self) -> str:
        """`DeMoor and Prevost (2024)`."""
        return f"{self.paper.authors} ({self.paper.year})"

    @property
    def tested(self) -> bool:
        """Whether all half-widths are known; else all counts with luck of the search are upper bounds."""
        return all(family.tested for family in self.families)

    def tables_of(self, dataset: str, category: Category) -> list[list[JudgedFamily]]:
        """The families of one block, those of one reference together; not those of the highest loss of each column."""
        tables: dict[tuple[str, bool], list[JudgedFamily]] = {}
        for family in self.families:
            wanted = not family.leads or self.paper.judged.own is not None
            if wanted and (family.dataset, family.category) == (dataset, category):
                tables.setdefault((family.reference, family.leads), []).append(family)
        return list(tables.values())

    def called(self, key: str) -> str:
        """A loss as the paper calls it."""
        return self.paper.losses[key].name


def judged_paper(name: str) -> JudgedPaper | None:
    """Judge the paper of a file; None where no file has this name."""
    paper = published_papers().get(name)
    if paper is None:
        return None
    families = judge_paper(paper)
    return JudgedPaper(name, paper, families, count_paper(paper, families))
