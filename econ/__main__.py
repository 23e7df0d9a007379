"""``econ``, and ``python -m econ``: the command line of `econ.cli` on whatever console there is.

A console that lacks a character gets a plain one; Ctrl-C ends in one line; a reader that closes
its end (``econ plan | head``) ends it in silence.
"""

from __future__ import annotations

import codecs
import contextlib
import gc
import io
import os
import signal
import sys
from collections.abc import Iterator
from threading import current_thread, main_thread

PLAIN = str.maketrans({"×": "x", "−": "-", "–": "-", "—": "-", "…": "...", "≤": "<=", "≥": ">=",
                       "·": "-", "→": "->", "“": '"', "”": '"', "’": "'", "\u202f": " ",
                       "\u00a0": " ", "€": "EUR", "μ": "u", "µ": "u", "±": "+/-"})  # fmt: skip
SELDOM = (100_000, 50, 50)  # a short process holds few circles: a seventh of its time was looking
STOPPED, CLOSED = 130, 141  # as a shell reports the two signals


def main() -> int:
    """Run the command of this process; its exit code."""
    try:
        with _stops_at_once():
            gc.set_threshold(*SELDOM)
            codecs.register_error("econ", _plain)
            for stream in (sys.stdout, sys.stderr):
                if isinstance(stream, io.TextIOWrapper):
                    stream.reconfigure(errors="econ")
            import pandas as pd

            pd.set_option("mode.string_storage", "python")  # tables this small: cell by cell
            from econ.cli import main as run
        code = run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _say_stopped()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    return code


@contextlib.contextmanager
def _stops_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process while libraries load: NumPy makes an ImportError of it."""
    was = signal.getsignal(signal.SIGINT)
    if was is not signal.default_int_handler or current_thread() is not main_thread():
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: os._exit(_say_stopped()))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, was)


def _say_stopped() -> int:
    print("econ: stopped", file=sys.stderr, flush=True)
    return STOPPED


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Characters that a console lacks, in those it has."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(PLAIN)
    return text.encode("ascii", "replace").decode("ascii"), error.end


if __name__ == "__main__":
    sys.exit(main())
