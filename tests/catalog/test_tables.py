"""The checker names file, row, column and rule; what it returns is typed and cannot be spoilt."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog import BadTable, UnknownName, table, table_names
from econ.catalog.audit import audit_frame, stale_frame
from econ.catalog.tables import data_dir, forget, read_checked, resource

SCHEMA = {
    "primaryKey": "id",
    "fields": [
        {"name": "id", "type": "string", "constraints": {"required": True}},
        {"name": "power_w", "type": "number", "constraints": {"minimum": 0, "maximum": 1000}},
        {"name": "n_chips", "type": "integer", "constraints": {"minimum": 1}},
        {"name": "tied", "type": "boolean"},
        {"name": "seen", "type": "date"},
        {"name": "kind", "type": "string", "constraints": {"enum": ["measured", "derived"]}},
        {"name": "month", "type": "string", "constraints": {"pattern": r"\d{4}-\d{2}"}},
    ],
}
HEAD = "id,power_w,n_chips,tied,seen,kind,month\n"
GOOD = "a,1.5,2,true,2026-11-24,measured,2026-11\n"


def read(tmp_path, text, schema=SCHEMA):
    path = tmp_path / "things.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_checked(path, schema)


def test_cells_are_typed_and_empty_ones_are_missing(tmp_path):
    frame = read(tmp_path, HEAD + GOOD + "b,,,,,,\n")
    assert frame["power_w"].tolist()[0] == 1.5
    assert frame["n_chips"][0] == 2
    assert frame["tied"][0]
    assert frame.loc[1, ["power_w", "n_chips", "tied"]].isna().all()
    assert frame.loc[1, ["seen", "kind", "month"]].tolist() == ["", "", ""]
    assert str(frame["n_chips"].dtype) == "Int64"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("b,x,2,true,2026-11-24,measured,2026-11", "column power_w: 'x' is not a finite number"),
        ("b,nan,2,true,2026-11-24,measured,2026-11", "column power_w: 'nan' is not a finite"),
        ("b,inf,2,true,2026-11-24,measured,2026-11", "column power_w: 'inf' is not a finite"),
        ("b,-1,2,true,2026-11-24,measured,2026-11", "column power_w: '-1' is below the minimum 0"),
        ("b,1001,2,true,2026-11-24,measured,2026-11", "power_w: '1001' is above the maximum 1000"),
        ("b,1,2.5,true,2026-11-24,measured,2026-11", "column n_chips: '2.5' is not a whole number"),
        ("b,1,2,yes,2026-11-24,measured,2026-11", "column tied: 'yes' is neither true nor false"),
        ("b,1,2,true,24.11.2026,measured,2026-11", "seen: '24.11.2026' is not YYYY-MM-DD"),
        ("b,1,2,true,2026-02-30,measured,2026-11", "seen: '2026-02-30' is not YYYY-MM-DD"),
        ("b,1,2,true,2026-11-24,guessed,2026-11", "'guessed' is not one of measured, derived"),
        ("b,1,2,true,2026-11-24,measured,Nov", r"column month: 'Nov' does not match"),
        (",1,2,true,2026-11-24,measured,2026-11", "column id: '' is empty, but the column is req"),
        ("a,1,2,true,2026-11-24,measured,2026-11", r"column id: \['a'\] is there twice"),
        (
            "b,1,2,true,2026-11-24,measured,2026-11,x",
            "column month: more cells than the header has names",
        ),
        ("b,1,2", "column tied: fewer cells than the header has names"),
    ],
)
def test_a_breach_names_file_row_column_and_rule(tmp_path, row, says):
    with pytest.raises(BadTable, match=rf"things\.csv row 3, .*{says}"):
        read(tmp_path, HEAD + GOOD + row + "\n")


def test_low_typical_and_high_stand_in_order(tmp_path):
    bounds = [{"name": n, "type": "number"} for n in ("low_usd", "typical_usd", "high_usd")]
    schema = {"fields": bounds, "ordered": [[field["name"] for field in bounds]]}
    head = "low_usd,typical_usd,high_usd\n"
    assert len(read(tmp_path, head + "1,2,2\n1,,3\n", schema)) == 2
    with pytest.raises(BadTable, match="row 3, column typical_usd: '5' is above high_usd"):
        read(tmp_path, head + "1,2,3\n1,5,3\n", schema)


def test_the_bounds_of_the_tables_are_ordered():
    assert ["low_usd", "typical_usd", "high_usd"] in resource("servers")["schema"]["ordered"]
    runs = [run for name in table_names() for run in resource(name)["schema"].get("ordered", [])]
    assert len(runs) > 15
    assert all(any("low" in part for part in run[0].split("_")) for run in runs)


def test_a_misspelt_source_is_an_error_at_load(tmp_path, monkeypatch):
    for name in ("datapackage.json", "sources.csv"):
        shutil.copy(data_dir() / name, tmp_path / name)
    rows = (data_dir() / "tco/servers.csv").read_text(encoding="utf-8")
    (tmp_path / "tco").mkdir()
    (tmp_path / "tco/servers.csv").write_text(rows.replace("semianalysis-tco", "semianalysis-tc0"))
    monkeypatch.setenv("ECON_DATA", str(tmp_path))
    forget()
    try:
        with pytest.raises(
            BadTable,
            match=r"row 4, column source: 'semianalysis-tc0' is not known: .*nearest: semianal",
        ):
            table("servers")
    finally:
        monkeypatch.undo()
        forget()


def test_other_columns_are_refused(tmp_path):
    with pytest.raises(BadTable, match=r"columns differ from the data package: \['month', 'week'"):
        read(tmp_path, HEAD.replace("month", "week") + GOOD)
    with pytest.raises(BadTable, match="columns differ from the data package: their order"):
        read(tmp_path, HEAD.replace("id,power_w", "power_w,id") + GOOD)
    with pytest.raises(BadTable, match=r"things\.csv: not a \.csv file: it is empty"):
        read(tmp_path, "")


def test_what_is_no_text_is_refused(tmp_path):
    with pytest.raises(BadTable, match=r"things\.csv line 3: not UTF-8 at byte 1"):
        read(tmp_path, (HEAD + GOOD).encode() + b"\xff\xfe,")
    with pytest.raises(BadTable, match=r"things\.csv line 2: not a \.csv file"):
        read(tmp_path, HEAD + '"a"b,1,2,true,2026-11-24,measured,2026-11\n')


@given(st.lists(st.tuples(st.text("abc,\"' äß", max_size=6), st.floats(0, 1000)), max_size=8))
def test_what_is_written_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "things.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["name", "power_w"], *rows])
    schema = {"fields": [{"name": "name", "type": "string"}, SCHEMA["fields"][1]]}
    frame = read_checked(path, schema)
    assert list(frame.itertuples(index=False, name=None)) == rows


def test_a_copy_is_given(tmp_path):
    spoilt = table("sites")
    spoilt["carbon_g_per_kwh"] = -1.0
    assert (table("sites")["carbon_g_per_kwh"] > 0).all()


def test_an_unknown_table_lists_the_nearest():
    with pytest.raises(UnknownName, match="unknown table 'modells'; nearest: models"):
        table("modells")


def test_data_elsewhere_is_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("ECON_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no datapackage\.json in .*set ECON_DATA"):
        data_dir()
    (tmp_path / "datapackage.json").write_text("{}")
    assert data_dir() == tmp_path


# -- the audit ------------------------------------------------------------------------------
def test_the_audit_counts_what_the_tables_hold():
    audit = audit_frame("2026-11-24").set_index("table")
    assert list(audit.index) == table_names()
    for name in ("accelerators", "api_prices", "sites"):
        rows = table(name)
        assert audit.loc[name, "rows"] == len(rows)
        assert audit.loc[name, "sources"] == rows["source"].nunique()
        assert audit.loc[name, "oldest"] == rows["as_of"].min()


def test_rows_go_stale_the_day_after():
    row = table("operators").loc["meta"]
    assert row["stale_after"] == "2026-12-31"

    def stale(on):
        frame = stale_frame(on)
        return "meta" in set(frame.loc[frame["table"] == "operators", "row"])

    assert not stale("2026-12-31")
    assert stale("2027-01-01")
    assert len(stale_frame("1999-01-01")) == 0


def test_the_audit_refuses_what_is_no_date():
    with pytest.raises(ValueError, match="on = 'soon' is outside its range: a date"):
        audit_frame("soon")


def test_the_command_prints_the_audit():
    done = subprocess.run(
        [sys.executable, "-m", "econ.catalog", "--on", "2030-01-01"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    printed = [line.split()[:2] for line in done.stdout.splitlines()]
    assert ["accelerators", str(len(table("accelerators")))] in printed
    n_stale = len(stale_frame("2030-01-01"))
    assert f"{n_stale} rows are past their stale_after on 2030-01-01" in done.stdout


def test_frames_are_pandas():
    assert all(isinstance(table(name), pd.DataFrame) for name in table_names())


def test_a_header_without_rows_is_an_empty_table_of_the_right_types(tmp_path):
    empty = read(tmp_path, HEAD)
    full = read(tmp_path, HEAD + GOOD)
    assert len(empty) == 0
    assert dict(empty.dtypes) == dict(full.dtypes)
