"""Functions and modules that several losses share."""
