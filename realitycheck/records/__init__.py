"""Records: their types, the ledger, and what they say of a plan."""
