"""The command `mxcp`, and `python -m mxcp`: everything happens in the native module."""

import sys

from mxcp import _core


def main():
    _core.main(sys.argv)  # does not return


if __name__ == "__main__":
    main()
