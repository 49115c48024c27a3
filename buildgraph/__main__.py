"""``python -m buildgraph``."""

from buildgraph.cli import main

if __name__ == "__main__":
    main()
