"""A second derivation of every number of a report, from the ledger's JSON and the files of the study alone.

Nothing here imports the rest of the package, its errors apart: what is compared was computed by code that shares no
line with this. The formulas are those of docs/statistics.md.
"""
