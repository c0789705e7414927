"""One SQLite file: what it is, opening it, checked rows, and what is left of a damaged one."""
