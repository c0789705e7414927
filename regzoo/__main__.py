"""Entry point of the command ``regzoo``, also as ``python -m regzoo``."""

import sys


def main() -> None:
    """Run the command line; a Ctrl-C while it is being imported ends it without a traceback."""
    try:
        from regzoo.cli.app import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
