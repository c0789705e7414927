"""Entry point of the command ``regzoo``, also as ``python -m regzoo``."""

import sys


def main() -> None:
    """Run the command line; a Ctrl-C while it is being imported ends it without a traceback."""
    try:
        from regzoo.system.streams import prepare_streams

        prepare_streams()
        from regzoo.cli.app import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        # If Ctrl-C interrupts the exec() of a string, such as of a dataclass that is being imported, `python -m` later
        # dies of SIGINT whatever its exit code, because CPython remembers it until the next exec() of a string.
        exec("")


if __name__ == "__main__":
    main()
