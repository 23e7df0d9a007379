"""Is this Python new enough?  In words that any Python understands, also those it refuses."""

import sys

OLDEST, TOO_NEW = (3, 11), (3, 15)


def check():
    """End with one sentence where it is not."""
    if not OLDEST <= sys.version_info[:2] < TOO_NEW:
        words = "; 3.11, 3.12, 3.13 or 3.14 is needed. Name one: make PYTHON=python3.12 lab"
        sys.exit("This is Python " + sys.version.split()[0] + words)


if __name__ == "__main__":
    check()
