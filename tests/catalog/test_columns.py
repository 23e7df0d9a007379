"""The dictionary of quantities: complete, readable, and what the rule of names rests on."""

import shutil

import pytest

from econ.catalog.columns import column, columns
from econ.catalog.guard import UnknownName
from econ.catalog.reading import BadTable
from econ.catalog.tables import data_dir, package, read_checked, resource, table


def test_every_column_of_every_table_is_known():
    names = {f["name"] for r in package()["resources"] for f in r["schema"]["fields"]}
    assert names <= set(columns())


@pytest.mark.parametrize("one", columns().values(), ids=lambda c: c.name)
def test_a_row_can_be_shown(one):
    assert one.title[0] == one.title[0].strip()
    assert len(one.title) <= 45, "an axis has room for so much"
    assert one.meaning
    assert one.is_number == bool(one.unit), "a number has a unit and a format, text has neither"
    if one.is_number:
        assert format(1234.5, one.digits)
        assert one.unit in ("share", "share/year") or not one.digits.endswith("%")


def test_labels_carry_the_unit_where_a_reader_needs_it():
    assert column("energy_j_per_token").label == "Energy per output token (J/token)"
    assert column("utilisation_frac").label == "Utilisation"
    assert column("concurrency").label == "Requests in flight"
    assert column("model").text("llama-3.1-8b") == "llama-3.1-8b"
    assert column("tdp_w").text(700.0) == "700 W"


def test_names_are_in_alphabetical_order():
    names = list(table("columns")["name"])
    assert names == sorted(names, key=lambda n: (n.lower(), n))


def test_an_unknown_name_lists_the_nearest():
    with pytest.raises(UnknownName, match=r"unknown column 'tpot'; nearest: .*tpot_s"):
        column("tpot")


def test_a_format_that_no_chart_reads_is_refused(tmp_path):
    shutil.copytree(data_dir(), tmp_path / "data")
    with (tmp_path / "data" / "columns.csv").open("a", encoding="utf-8") as file:
        file.write("zzz_w,Odd,W,.1q,A quantity\n")
    with pytest.raises(BadTable, match=r"columns\.csv row .*digits: '\.1q' does not match"):
        read_checked(tmp_path / "data" / "columns.csv", resource("columns")["schema"])
