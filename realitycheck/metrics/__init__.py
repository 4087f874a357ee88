"""What an embedding is worth: exact retrieval scores."""

from realitycheck.metrics.retrieval import retrieval_scores

__all__ = ["retrieval_scores"]
