"""What follows from a promise: splits, seeds, specs, costs."""
