"""The operating system: temporary folders that outlive no process, locks, files written whole or not at all, Ctrl-C."""
