"""The list of licences is that of the lock, and of what is installed."""

import pytest

from tools import licences


def test_the_list_is_current():
    said = "run python tools/licences.py"
    assert list(licences.listed()) == licences.pins(), said
    assert licences.LIST.read_text(encoding="utf-8") == licences.text(), said


@pytest.mark.parametrize("pin", licences.pins(), ids=lambda pin: pin[0])
def test_every_package_states_a_licence_that_lets_us_use_it(pin):
    stated = licences.listed()[pin]
    assert stated
    assert "AGPL" not in stated
    assert "Proprietary" not in stated
