"""The laws of inputs and gaps (normal, beta, gamma) without SciPy, whose import takes 0.2 s.

>>> [round(float(z), 3) for z in normal_quantile([0.05, 0.5, 1.0])]
[-1.645, 0.0, inf]
>>> round(float(normal_share(1.645)), 3), round(float(pert_quantile(0.5, 0.5)), 3)
(0.95, 0.5)
"""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np

from econ.catalog.guard import each, fraction, shown

Numbers = np.ndarray[Any, np.dtype[Any]]
FEW = 50_000  # values that take less time one by one than SciPy takes to be imported
PERT_SUM = 6.0  # of a PERT's two exponents
ROUNDING = 2.0**-52
MOST_SHAPE = 50.0  # of a gamma law, beyond which the sums are left to SciPy
N_TERMS = 90  # of the series; at a half the rest is below a rounding
MOST_STEPS = 60


def normal_share(z: Any) -> Numbers:
    """The share of a normal law below so many standard deviations."""
    try:
        z = np.asarray(z, "float64")
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"z = {shown(z)} is outside its range: numbers") from None
    if np.size(z) > FEW:
        from scipy.special import ndtr

        return np.asarray(ndtr(z))
    return _each(lambda x: 0.5 * math.erfc(-math.sqrt(0.5) * x), z)


def normal_quantile(share: Any) -> Numbers:
    """The standard deviations below which a share (0 to 1) of a normal law lies."""
    share = each(fraction, "share", share)
    if np.size(share) > FEW:
        from scipy.special import ndtri

        return np.asarray(ndtri(share))
    ends = {0.0: -math.inf, 1.0: math.inf}
    inverse = statistics.NormalDist().inv_cdf
    return _each(lambda p: ends[p] if p in ends else inverse(p), share)


def _each(function: Any, values: Any) -> Numbers:
    array = np.asarray(values, "float64")
    return np.array([function(x) for x in array.ravel().tolist()]).reshape(array.shape)


def gamma_share(arrival_cv: float, n_means: float) -> float:
    """The share of gamma gaps that are shorter than so many mean gaps.

    Formulas 8.11.4 (a series, below the mean) and 8.9.2 (a continued fraction of the rest, by
    Lentz's method) of the NIST Digital Library of Mathematical Functions.

    >>> round(gamma_share(1.0, 1.0), 4), gamma_share(1.0, 0.0)  # 1 − 1/e
    (0.6321, 0.0)
    """
    shape = arrival_cv**-2
    x = shape * n_means
    if shape > MOST_SHAPE:
        from scipy.special import gammainc

        return float(gammainc(shape, x))
    if x <= 0:
        return 0.0
    log_front = shape * math.log(x) - x - math.lgamma(shape)
    if x < shape + 1:
        total = term = 1 / shape
        n = shape
        while term > total * ROUNDING:
            n += 1
            term *= x / n
            total += term
        return total * math.exp(log_front)
    odd = x + 1 - shape
    upper, lower = math.inf, 1 / odd
    total = lower
    i = 0
    while True:
        i += 1
        step = i * (shape - i)
        odd += 2
        lower = 1 / (odd + step * lower)
        upper = odd + step / upper
        total *= upper * lower
        if abs(upper * lower - 1) < ROUNDING:
            return 1 - total * math.exp(log_front)


def pert_quantile(peak_frac: float, share: Any) -> Numbers:
    """The value below which a share of a PERT law over 0 to 1 lies.

    Parameters
    ----------
    peak_frac : float
        The likeliest value, e.g. 0.3.
    share : array_like
        Shares from 0 to 1.

    Returns
    -------
    numpy.ndarray
        Quantiles of the beta law with the exponents a = 1 + 4 · peak and b = 6 − a.

    Notes
    -----
    Up to a half, the share below x is x^a (1 − x)^b S(x) / (a B(a, b)) with the series
    S(x) = Σ x^n (6)ₙ/(a + 1)ₙ of positive terms; its logarithm is concave in log x, so that
    Newton's steps from below only rise. Above a half the law is that of 1 − x.

    References
    ----------
    NIST Digital Library of Mathematical Functions, 8.17.8.

    Examples
    --------
    >>> [round(float(x), 3) for x in pert_quantile(0.0, [0.0, 0.5, 1.0])]  # 1 − (1 − share)^(1/5)
    [0.0, 0.129, 1.0]
    """
    share = np.asarray(each(fraction, "share", share), "float64")
    a = 1 + 4 * peak_frac
    middle = math.exp(_log_share(a, np.array(math.log(0.5)))[0])
    below = share <= middle
    low = _below_half(a, np.where(below, share, middle))
    high = _below_half(PERT_SUM - a, np.where(below, 1 - middle, 1 - share))
    return np.where(np.isnan(share), np.nan, np.where(below, low, 1 - high))


def _log_share(a: float, log_x: Numbers) -> tuple[Any, Any]:
    """The logarithm of the share below x, and its slope over that of x."""
    n = np.arange(N_TERMS - 1)
    terms = np.concatenate([[1.0], np.cumprod((PERT_SUM + n) / (a + 1 + n))])
    x, b, series = np.exp(log_x), PERT_SUM - a, 0.0
    for term in terms[::-1].tolist():
        series = series * x + term
    scale = math.lgamma(a + 1) + math.lgamma(b) - math.lgamma(PERT_SUM)
    return a * log_x + b * np.log1p(-x) + np.log(series) - scale, a / ((1 - x) * series)


def _below_half(a: float, share: Numbers) -> Numbers:
    """Quantiles that are no more than a half."""
    wanted = np.log(np.maximum(share, np.finfo(float).tiny))
    scale = math.lgamma(a + 1) + math.lgamma(PERT_SUM - a) - math.lgamma(PERT_SUM)
    log_x = np.minimum((wanted + scale) / a, math.log(0.5))
    for _ in range(MOST_STEPS):
        reached, slope = _log_share(a, log_x)
        step = (wanted - reached) / slope
        log_x = np.minimum(log_x + step, math.log(0.5))
        if np.max(np.abs(step), initial=0.0) < 1e-14:
            break
    return np.where(share > 0, np.exp(log_x), 0.0)
