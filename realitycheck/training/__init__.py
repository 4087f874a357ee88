"""Training of one model, and the embeddings of finished models."""
