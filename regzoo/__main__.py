"""Run regzoo, also as ``python -m regzoo``."""

import sys


def main() -> None:
    """The command line; an interruption while it is imported is none of the user's errors either."""
    try:
        from regzoo.cli.app import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
