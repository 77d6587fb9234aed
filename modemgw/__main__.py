"""``python -m modemgw``: the same as the command ``modemgw``."""

import sys

from modemgw.cli import main

if __name__ == "__main__":
    sys.exit(main())
