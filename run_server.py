#!/usr/bin/env python
"""Start the web server from a clone: the same as `codetether run`."""

import sys

if sys.version_info < (3, 12):  # noqa: UP036  (a clone has no installer that would have said so)
    sys.exit("CodeTether needs Python 3.12 or newer; `make run` finds one and installs everything.")

from codetether.cli import main  # noqa: E402  (what it imports does not parse on an older Python)

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
