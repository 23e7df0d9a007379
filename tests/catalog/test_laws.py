"""The laws of a range against SciPy's, which takes long to import and not to call."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy import special

from econ.catalog import laws

SHARES = np.concatenate([[0.0, 1e-12, 1e-6], np.linspace(1e-4, 1 - 1e-4, 501), [1 - 1e-9, 1.0]])


@pytest.mark.parametrize("peak", [0.0, 0.1, 1 / 3, 0.5, 0.77, 1.0])
def test_a_pert_law_is_a_beta_law(peak):
    ours = laws.pert_quantile(peak, SHARES)
    np.testing.assert_allclose(ours, special.betaincinv(1 + 4 * peak, 5 - 4 * peak, SHARES),
                               rtol=0, atol=1e-14)  # fmt: skip
    assert (np.diff(ours) > 0).all()


def test_a_gamma_law_by_sum_and_by_fraction():
    for shape in (0.01, 0.5, 1.0, 3.0, 17.3, 50.0, 400.0):
        for x in shape * np.geomspace(1e-6, 1e4, 41):
            ours = laws.gamma_share(shape**-0.5, float(x / shape))
            assert ours == pytest.approx(special.gammainc(shape, x), rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("n", [1, laws.FEW])  # one by one, and in SciPy
def test_the_normal_law_and_its_inverse(n):
    shares = np.tile(SHARES, -(-n // len(SHARES)))
    z = laws.normal_quantile(shares)
    np.testing.assert_allclose(z, special.ndtri(shares), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(laws.normal_share(z), special.ndtr(z), rtol=1e-13)


PERT_QUANTILE = functools.partial(laws.pert_quantile, 0.3)


@pytest.mark.parametrize("quantile", [laws.normal_quantile, PERT_QUANTILE])
def test_a_share_outside_its_range_is_refused_and_an_empty_cell_stays_one(quantile):
    with pytest.raises(ValueError, match=r"share\[1\] = 1\.5 is outside its range: 0 to 1"):
        quantile([0.2, 1.5])
    assert np.isnan(quantile([0.2, np.nan])).tolist() == [False, True]
