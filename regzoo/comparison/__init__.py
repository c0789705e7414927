"""The comparison: plan, search, ledger, ranking."""
