"""`python -m codetether_worker` is the same as the `codetether-worker` command."""

from codetether_worker.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
