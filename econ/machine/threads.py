"""More threads than cores: the same product in a program of its own under each number of threads.

BLAS libraries read their number of threads once, when they are loaded, so that each measurement
needs a process of its own.

>>> sorted(thread_settings(2))[:2]
['BLIS_NUM_THREADS', 'MKL_NUM_THREADS']
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable

import pandas as pd

from econ.catalog.guard import count

VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
)  # fmt: skip
LONGEST_S = 60.0
PROGRAM = """
import statistics, time
import numpy as np
w, y = (np.ones((n, 1024), "float32") for n in ({rows}, 16))
x = y[0]
def median_s(work):
    work(); seconds = []
    for _ in range({n_repeats}):
        start = time.perf_counter(); work(); seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
print(w.nbytes / median_s(lambda: w @ x), 2 * 16 * w.size / median_s(lambda: w @ y.T))
"""


def thread_settings(n_threads: int) -> dict[str, str]:
    """The variables by which the usual libraries are told their number of threads."""
    return dict.fromkeys(VARIABLES, str(count("n_threads", n_threads, 1, 1024)))


def threads_frame(
    n_threads: Iterable[int] = (1, 2, 4, 8), *, n_rows: int = 32_768, n_repeats: int = 5
) -> pd.DataFrame:
    """Reading and computing under each number of threads.

    Parameters
    ----------
    n_threads : iterable of int
        E.g. 1, 2, 4 and 8, past the number of cores.
    n_rows : int
        Of the matrix with 1,024 columns, e.g. 32,768 (134 MB).
    n_repeats : int
        Of each product, e.g. 5.

    Returns
    -------
    DataFrame
        n_threads, bandwidth_bytes_per_s (a vector through the matrix), flop_per_s (sixteen at a
        time).

    Raises
    ------
    ValueError
        Where no second process can be started, as in a browser page.
    """
    program = PROGRAM.format(rows=count("n_rows", n_rows, 1, 1e7), n_repeats=n_repeats)
    rows = []
    for number in n_threads:
        environment = os.environ | thread_settings(number)
        try:
            done = subprocess.run(
                [sys.executable, "-c", program],
                env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            raise ValueError(
                f"no second process could measure {number} threads ({type(error).__name__}): take "
                "the recorded machine's rows"
            ) from None
        bandwidth, rate = (float(word) for word in done.stdout.split())
        rows.append((number, bandwidth, rate))
    return pd.DataFrame(rows, columns=["n_threads", "bandwidth_bytes_per_s", "flop_per_s"])
