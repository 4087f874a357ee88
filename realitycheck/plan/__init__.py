"""What follows from a study: splits, seeds, specs, costs."""
