"""Samplers of a search: one file and one entry of `menu` each."""
