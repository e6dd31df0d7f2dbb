"""python -m numba_cnn is the command numba-cnn."""

import sys

from numba_cnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
