"""The command line of regzoo."""
