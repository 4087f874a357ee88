"""One training, and the scoring of finished models."""
