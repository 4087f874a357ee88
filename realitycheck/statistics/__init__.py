"""Intervals, comparisons and power, as plain functions of numbers."""
