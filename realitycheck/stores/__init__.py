"""Memory-mapped stores of the images or features of one half of a dataset."""
