"""A comparison's folder and the ledger in it."""
