"""Published tables as reference data, and how they come to stand beside a study's own."""
