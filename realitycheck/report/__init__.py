"""The claim: tables, figures and the page, rebuilt from the ledger alone."""
