"""Verifiers: their price, their ceiling, and which one pays."""

import pytest

from econ.scaling.coverage import Difficulty
from econ.scaling.verifiers import Verifier, verifiers_frame

LAW = Difficulty(a=0.4, b=1.2)


def test_a_perfect_verifier_gives_coverage():
    assert Verifier(name="tests").accuracy_frac(LAW, 50) == pytest.approx(
        float(LAW.coverage(50)), abs=2e-3
    )


def test_one_attempt_needs_no_verifier():
    for wrong in (0.0, 0.3):
        one = Verifier(name="any", false_positive_frac=wrong, true_positive_frac=0.8)
        assert one.accuracy_frac(LAW, 1) == pytest.approx(LAW.mean_frac, rel=1e-2)


def test_errors_lower_the_ceiling_and_the_price_raises_the_cost():
    frame = verifiers_frame(
        [
            Verifier(name="tests", usd_per_attempt=1e-5),
            Verifier(name="judge", usd_per_attempt=1e-3, false_positive_frac=0.1),
            Verifier(name="person", usd_per_attempt=1.0),
        ],
        LAW,
        attempt_usd=0.002,
    ).set_index("verifier")
    assert frame.loc["judge", "best_frac"] < frame.loc["tests", "best_frac"]
    assert frame.loc["judge", "n_attempts"] < frame.loc["tests", "n_attempts"]
    person = frame.loc["person"]
    assert person["checking_share_frac"] > 0.99
    assert person["usd_per_right"] == pytest.approx(
        person["n_attempts"] * 1.002 / person["right_frac"]
    )


@pytest.mark.parametrize("wrong", [{"usd_per_attempt": -1}, {"false_positive_frac": 1.5}])
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Verifier(name="x", **wrong)
    with pytest.raises(ValueError, match="no verifiers"):
        verifiers_frame([], LAW, attempt_usd=0.002)
