"""The workbook: well-formed, its formulas give the decision's own numbers."""

import dataclasses
import io
import re
import zipfile
from xml.etree import ElementTree

import pytest

import econ
from econ.decision.workbook import evaluate, finance_lines, workbook
from tests.decision.cases import QUICK, answer, busy, option, scenario

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def test_formulas_give_the_decisions_numbers():
    numbers = evaluate(finance_lines(answer()))
    for family in ("api", "rent", "own"):
        option = answer().best_of(family)
        assert numbers[f"{family}_usd_per_day"] == pytest.approx(option.usd_per_day)
        assert numbers[f"{family}_usd_per_year"] == pytest.approx(option.usd_per_year)


def test_machines_of_a_growing_load_are_whole_in_both():
    numbers = evaluate(finance_lines(busy()))
    for family in ("api", "rent"):
        option = busy().best_of(family)
        assert numbers[f"{family}_present"] == pytest.approx(option.npv_typical_usd), family
        for year, usd in enumerate(option.by_year_usd, start=1):
            assert numbers[f"{family}_year_{year}"] == pytest.approx(usd)
    own = busy().best_of("own")
    assert numbers["own_year_3"] == pytest.approx(own.by_year_usd[2])
    assert numbers["own_present"] == pytest.approx(own.npv_typical_usd)
    assert numbers["own_resale"] == pytest.approx(own.resale_usd)


@pytest.mark.parametrize("life_years", [2.0, 5.0])
def test_servers_that_wear_out_are_bought_again_in_the_workbook_too(life_years):
    again = econ.decide(
        scenario(10e9, tenure="owned", life_years=life_years), horizon_years=5, growth_per_year=1.3,
        **(QUICK | {"terms": ["own"]}),
    )  # fmt: skip
    own = again.best_of("own")
    replaced = own.capital_by_year_usd[2] > own.capital_by_year_usd[0]  # the first ones and more
    assert replaced == (life_years == 2.0)
    assert evaluate(finance_lines(again))["own_present"] == pytest.approx(own.npv_typical_usd)


def test_a_change_of_the_rent_leaves_the_staff_as_it_is():
    lines = [dataclasses.replace(line, value=0.9) if line.name == "rent_change" else line
             for line in finance_lines(answer())]  # fmt: skip
    numbers, rent = evaluate(lines), answer().best_of("rent")
    staff, machines = rent.parts["staff"], rent.usd_per_year - rent.parts["staff"]
    assert staff > 0 < machines
    assert numbers["rent_year_3"] == pytest.approx(machines * 0.81 + staff)


def test_hours_are_those_of_the_base_where_more_is_rented_beyond_it():
    mix = option(busy(), "reserved+burst")
    only = dataclasses.replace(busy(), options=(mix,))
    numbers = evaluate(finance_lines(only))
    base = numbers["gpu_hours"] / 24  # paid all day
    assert base == pytest.approx(round(base))
    assert 0 < base < mix.n_gpu
    assert numbers["rent_beyond"] == pytest.approx(mix.parts["burst"])
    assert numbers["rent_present"] == pytest.approx(mix.npv_typical_usd)


def test_totals_are_the_typical_case_of_the_memo():
    lines = finance_lines(answer())
    numbers = evaluate(lines)
    for family in ("api", "rent", "own"):
        option = answer().best_of(family)
        assert numbers[f"{family}_present"] == pytest.approx(option.npv_typical_usd)
        assert numbers[f"{family}_mean"] == option.npv_usd
    assert "the workbook computes the typical case" in answer().memo()
    own = answer().best_of("own")
    assert numbers["bought"] == pytest.approx(sum(own.bought.values()))
    titles = {line.title for line in lines}
    assert {f"Bought: {name}" for name in own.bought} <= titles


def test_the_file_is_a_workbook_with_live_formulas():
    archive = zipfile.ZipFile(io.BytesIO(workbook(answer())))
    assert archive.testzip() is None
    for name in archive.namelist():
        ElementTree.fromstring(archive.read(name))
    names = {
        n.get("name")
        for n in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{SHEET}definedName")
    }
    sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    styles = ElementTree.fromstring(archive.read("xl/styles.xml"))
    n_styles = len(styles.find(f"{SHEET}cellXfs"))
    assert {int(cell.get("s")) for cell in sheet.iter(f"{SHEET}c")} <= set(range(n_styles))
    formulas = [f.text for f in sheet.iter(f"{SHEET}f")]
    assert len(formulas) > 10
    for formula in formulas:
        assert set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", formula)) - {"PMT"} <= names
