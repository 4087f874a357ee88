"""The words of the tables, one sentence each."""

from __future__ import annotations

from realitycheck.protocol.model import Protocol
from realitycheck.report.words import METRIC_NAMES
from realitycheck.runs import Category

METRIC_SENTENCES = {
    "map_at_r": "a query has R other images of its class: of its R nearest images each hit counts with the share of "
    "hits up to it, and their sum is divided by R.",
    "r_precision": "R-precision: the share of the query's class among its R nearest images.",
    "precision_at_1": "the share of queries whose nearest image has their class.",
}
"""How each score comes from nearest neighbours."""


def glossary(protocol: Protocol) -> dict[str, str]:
    """Categories of this protocol and all metrics: the name in the tables → a sentence."""
    dims, folds = protocol.embedding_dim, protocol.folds.count
    told = {
        Category.AGGREGATE: f"the mean score of the {folds} fold models, each scored by itself with {dims} numbers an "
        "image.",
        Category.ENSEMBLE: f"the score of the {folds} fold models' embeddings side by side, {folds * dims} numbers an "
        "image.",
        Category.COMPLETE: f"the score of one model with {folds * dims} numbers an image, trained on all of the "
        "trainval half.",
    }
    categories = {each.label(dims=dims, folds=folds): told[each] for each in protocol.categories}
    return categories | {METRIC_NAMES[name]: sentence for name, sentence in METRIC_SENTENCES.items()}
