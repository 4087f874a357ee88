"""Scores of embeddings: exact retrieval scores, recall@k and NMI."""

from realitycheck.metrics.clustering import nmi
from realitycheck.metrics.recall import recall_at_k
from realitycheck.metrics.retrieval import retrieval_scores

__all__ = ["nmi", "recall_at_k", "retrieval_scores"]
