"""A comparison: plan, search, replicates and leaderboard."""
