"""Tables, figures and the page of a study, rebuilt from its ledger alone."""
