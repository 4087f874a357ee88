"""The words of the tables, one sentence each."""

from __future__ import annotations

from realitycheck.protocol.model import Study
from realitycheck.report.words import METRIC_NAMES, metric_name
from realitycheck.runs import NMI, RECALL, Category

METRIC_SENTENCES = {
    "map_at_r": "a query has R other images of its class: of its R nearest images each hit counts with the share of "
    "hits up to it, and their sum is divided by R.",
    "r_precision": "R-precision: the share of the query's class among its R nearest images.",
    "precision_at_1": "the share of queries whose nearest image has their class.",
}
"""How each score comes from nearest neighbours."""

RECALL_SENTENCE = "recall at k: the share of queries with an image of their class among their k nearest images."

NMI_SENTENCE = (
    "normalised mutual information, with the arithmetic mean, between the classes of all images of the test half and "
    "as many clusters by k-means (faiss, one start, the same for every model); no mean over queries."
)


def glossary(study: Study) -> dict[str, str]:
    """Categories and scores of this study: the name in the tables → a sentence."""
    protocol = study.protocol
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
    always = {METRIC_NAMES[name]: sentence for name, sentence in METRIC_SENTENCES.items()}
    metrics = {name for each in study.datasets for name in study.protocol_on(each.name).metrics}
    return categories | always | _asked(metrics)


def _asked(metrics: set[str]) -> dict[str, str]:
    """What only some protocols ask for."""
    recall = {"R@k": RECALL_SENTENCE} if any(name.startswith(RECALL) for name in metrics) else {}
    return recall | ({metric_name(NMI): NMI_SENTENCE} if NMI in metrics else {})
