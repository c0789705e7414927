"""Run regzoo as ``python -m regzoo``."""

from regzoo.cli import main

if __name__ == "__main__":
    main()
