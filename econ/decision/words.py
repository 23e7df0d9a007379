"""Money and chances of a decision as people read them: no more digits than are known.

>>> money(362.1), share_words(0.51)
('$362', '51%')
"""

from __future__ import annotations

import math

from econ.decision.result import Option
from econ.decision.speeds import UNPUBLISHED


def money(usd: float, se_usd: float = 0.0) -> str:
    """USD to three digits, as people read it, or to the fewer that its sampling error allows.

    >>> money(4.267), money(1557.4), money(1_234_567), money(0.00231)
    ('$4.27', '$1,560', '$1,230,000', '$0.0023')
    >>> money(1557.4, 12.0), money(1557.4, 130.0), money(1557.4, 20_000.0)
    ('$1,560', '$1,600', '$2,000')
    """
    if usd < 0:
        return f"−{money(-usd, se_usd)}"
    if usd >= 100:
        digits = 3 - len(str(int(usd)))
    else:
        digits = 1 if usd >= 10 else 2 if usd >= 0.1 or not usd else 1 - math.floor(math.log10(usd))
    if se_usd > 0 and usd:
        digits = min(digits, -math.floor(math.log10(min(se_usd, usd))))  # the first one stays
    return f"${round(usd, digits):,.{max(digits, 0)}f}"


def drawn_words(option: Option, name: str) -> str:
    """A number of an option in the digits that its draws allow."""
    return money(getattr(option, name), option.se_usd.get(name, 0.0))


def band_words(option: Option, low: str, high: str) -> str:
    """Both ends of a band of an option, in brackets."""
    return f"({drawn_words(option, low)} to {drawn_words(option, high)})"


def year_words(option: Option, unit: str = "") -> str:
    """What an option costs in its first year, with the band."""
    band = band_words(option, "low_usd_per_year", "high_usd_per_year")
    return f"{money(option.usd_per_year)}{unit} {band}"


def present_words(option: Option) -> str:
    """What an option costs over the horizon in today's money, with the band."""
    band = band_words(option, "npv_low_usd", "npv_high_usd")
    return f"{drawn_words(option, 'npv_usd')} {band}"


def share_words(share_frac: float) -> str:
    """A probability in percent; nothing is certain that was predicted.

    >>> share_words(0.996), share_words(0.51)
    ('over 99%', '51%')
    >>> share_words(1.0), share_words(0.001)
    ('over 99%', 'under 1%')
    """
    if share_frac > 0.99:
        return "over 99%"
    return "under 1%" if share_frac < 0.01 else f"{share_frac:.0%}"


def usd_words(usd: float) -> str:
    """A small amount to three digits.

    >>> usd_words(0.0001234), usd_words(0.00001), usd_words(1.5)
    ('$0.000123', '$0.00001', '$1.50')
    """
    if usd >= 1 or usd <= 0:
        return money(usd)
    text = f"{usd:.{2 - math.floor(math.log10(usd))}f}"
    return f"${text.rstrip('0')}"


def unproven_words(option: Option) -> str:
    """What is not published of a seller's speed."""
    if option.evidence == UNPUBLISHED:
        return f"the speed of {option.seller} is not published"
    return f"{option.seller} says how fast it is on another model, not on this one"
