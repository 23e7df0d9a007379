"""The page that writes out the latency model: every constant of the code, every formula typeset."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from latex2mathml.converter import convert

from econ.catalog import table
from econ.latency.calibration import Calibration
from econ.latency.fit import START

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "website"))
import latency_model

PAGE = latency_model.page()


def test_every_constant_has_a_symbol_a_value_and_a_formula_that_uses_it():
    told = set(re.findall(r"`([a-z0-9_.]+)`", PAGE))
    unused = {"interference_frac", "network_bytes_per_s"}  # 1 outside the bound; of the datasheet
    assert {*START, *Calibration.names()} - unused <= told
    formulas = " ".join(re.findall(r"\$\$?(.+?)\$\$?", PAGE.partition("## Fitted")[0]))
    for name, symbol in latency_model.SYMBOLS.items():
        assert symbol in formulas, name


def test_every_formula_is_typeset_and_no_place_is_left_open():
    assert "{{" not in PAGE
    for formula in re.findall(r"\$\$?(.+?)\$\$?", PAGE):
        assert "<math" in convert(formula), formula


def test_the_table_of_errors_is_of_the_parameters_that_are_fitted():
    rows = table("calibration_without")
    assert list(rows.index) == ["all", *START]
    assert rows.loc["all", "n_felt"] == table("calibration").loc["kernel_s", "n_runs"]
