"""A comparison: its plan, its runs and its leaderboard."""
