"""``econ``, and ``python -m econ``: the command line of `econ.cli` on whatever console there is.

A console that lacks a character gets a plain one; Ctrl-C ends in one line; a reader that closes
its end (``econ plan | head``) ends it in silence.
"""

from __future__ import annotations

import codecs
import gc
import io
import os
import sys

PLAIN = str.maketrans({"×": "x", "−": "-", "–": "-", "—": "-", "…": "...", "≤": "<=", "≥": ">=",
                       "·": "-", "→": "->", "“": '"', "”": '"', "’": "'", "\u202f": " ",
                       "\u00a0": " ", "€": "EUR", "μ": "u", "µ": "u", "±": "+/-"})  # fmt: skip
SELDOM = (100_000, 50, 50)  # a short process holds few circles: a seventh of its time was looking
STOPPED, CLOSED = 130, 141  # as a shell reports the two signals


def main() -> int:
    """Run the command of this process; its exit code."""
    gc.set_threshold(*SELDOM)
    codecs.register_error("econ", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="econ")
    try:
        import pandas as pd  # takes a second, in which one may press Ctrl-C

        pd.set_option("mode.string_storage", "python")  # tables this small are read cell by cell
        from econ.cli import main as run

        code = run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("econ: stopped", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    return code


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Characters that a console lacks, in those it has."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(PLAIN)
    return text.encode("ascii", "replace").decode("ascii"), error.end


if __name__ == "__main__":
    sys.exit(main())
