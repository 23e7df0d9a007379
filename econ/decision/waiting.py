"""Work that may wait: the smallest steady rate that has everything done within a deadline.

>>> import numpy as np
>>> night = np.array([0.0] * 12 + [2.0] * 12)
>>> served = spread_load(night, deadline_h=12.0)
>>> round(float(served.max()), 2), round(float(served.sum()), 6) == 24.0
(1.0, True)
"""

from __future__ import annotations

import numpy as np

DAYS = 4  # until a day repeats itself
STEPS = 50


def spread_load(load_per_s: np.ndarray, deadline_h: float) -> np.ndarray:
    """24 rates at which a fleet works when requests may wait so many hours, first come first.

    The rates sum to the load's; their largest is the smallest that keeps the deadline.
    """
    low, high = float(load_per_s.mean()), float(load_per_s.max())
    if not high:
        return load_per_s
    for _ in range(STEPS):
        middle = (low + high) / 2
        if _longest_wait_h(load_per_s, middle) <= deadline_h:
            high = middle
        else:
            low = middle
    return _served(load_per_s, high)[0]


def _served(load_per_s: np.ndarray, rate_per_s: float) -> tuple[np.ndarray, float]:
    """What is done in each hour of a day that repeats, and the longest queue in work-hours."""
    queue, longest = 0.0, 0.0
    served = np.zeros(len(load_per_s))
    for day in range(DAYS):
        for hour, rate in enumerate(load_per_s):
            done = min(queue + rate, rate_per_s)
            queue += rate - done
            served[hour] = done
            if day == DAYS - 1:
                longest = max(longest, queue)
    return served * load_per_s.sum() / served.sum(), longest


def _longest_wait_h(load_per_s: np.ndarray, rate_per_s: float) -> float:
    return _served(load_per_s, rate_per_s)[1] / rate_per_s
