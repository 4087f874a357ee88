"""Published tables as reference data, one file per paper."""
