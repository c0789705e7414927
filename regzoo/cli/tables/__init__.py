"""Every table that the command line prints, one file per command."""
