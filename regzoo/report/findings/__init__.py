"""Findings of a comparison in words: verdict, diagnosis, recommendations, audit, methods section, sweep."""
