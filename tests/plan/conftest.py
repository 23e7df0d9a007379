"""Plans that several tests read."""

from __future__ import annotations

import pytest

from econ.plan import plan
from tests.plan.cases import BOTH, QUICK, SCENARIO


@pytest.fixture(scope="session")
def screened():
    return plan(SCENARIO, n_refined=0, **QUICK).frame()


@pytest.fixture(scope="session")
def answer():
    splits = [(2, 1, 1, 1), (4, 1, 1, 1)]
    return plan(SCENARIO, n_refined=3, n=1000, parallelism=splits, policies=BOTH, **QUICK)
