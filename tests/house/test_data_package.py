"""The data package: valid, complete, every row with a source, a date and a kind."""

from __future__ import annotations

import re
import shutil

import pytest
from frictionless import Package

from econ.catalog import table, table_names
from econ.catalog.package import descriptor, text
from econ.catalog.tables import KINDS, data_dir, package, resource

# explanations and parts of other tables: what they hold has its source there
WITHOUT_PROVENANCE = {
    "aliases", "column_names", "columns", "glossary", "interface", "misconceptions", "sources",
    "workload_lengths",
}  # fmt: skip
FACTS = [name for name in table_names() if name not in WITHOUT_PROVENANCE]
DATE = re.compile(r"\d{4}(-\d{2}){0,2}")


def fields(name: str) -> dict[str, dict]:
    return {field["name"]: field for field in resource(name)["schema"]["fields"]}


def test_frictionless_finds_no_fault():
    report = Package(str(data_dir() / "datapackage.json")).validate()
    faults = [f"{t.name}: {e.message}" for t in report.tasks for e in t.errors]
    assert not faults + [e.message for e in report.errors]


def test_the_descriptor_is_the_one_that_the_tables_declare():
    committed = (data_dir() / "datapackage.json").read_text(encoding="utf-8")
    assert committed == text(), "write it anew: python -m econ.catalog.package"


def test_a_column_that_the_dictionary_lacks_is_named(tmp_path, monkeypatch):
    for name in ("columns.csv", "datapackage.json"):
        shutil.copy(data_dir() / name, tmp_path / name)
    table_of_one = (
        '[rows]\nfile = "rows.csv"\nabout = "x"\nkey = "id"\ncolumns = {id = {}, odd_w = {}}\n'
    )
    (tmp_path / "tables.toml").write_text(table_of_one)
    monkeypatch.setenv("ECON_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"table rows: no row of columns\.csv for odd_w"):
        descriptor()


def test_every_file_is_declared_and_every_declared_file_exists():
    declared = sorted(r["path"] for r in package()["resources"])
    assert declared == sorted(
        p.relative_to(data_dir()).as_posix() for p in data_dir().rglob("*.csv")
    )


@pytest.mark.parametrize("name", table_names())
def test_our_checker_reads_it(name):
    assert len(table(name)) > 0


@pytest.mark.parametrize("name", FACTS)
def test_every_row_has_a_source_a_date_and_a_kind(name):
    rows = table(name)
    assert set(rows["source"]) <= set(table("sources")["key"])
    assert set(rows["kind"]) <= set(KINDS)
    assert rows["as_of"].map(lambda d: bool(DATE.fullmatch(d))).all()
    if "stale_after" in rows:
        aged = rows[rows["stale_after"] != ""]
        assert aged["stale_after"].map(lambda d: bool(DATE.fullmatch(d))).all()
        assert (aged["as_of"] <= aged["stale_after"]).all()


@pytest.mark.parametrize("name", table_names())
def test_every_column_is_described_and_every_quantity_has_a_unit_and_limits(name):
    schema = resource(name)["schema"]
    assert schema.get("primaryKey"), "rows need a key"
    for column in schema["fields"]:
        assert column.get("description"), column["name"]
        if column["type"] in ("number", "integer"):
            assert column.get("unit"), f"{column['name']} has no unit"
            assert "minimum" in column.get("constraints", {}), f"{column['name']} has no limits"


def test_every_alias_leads_to_a_row():
    for row in table("aliases").itertuples():
        rows = {"region": "sites", "place": "sites"}.get(row.what, f"{row.what}s")
        assert row.stands_for in table(rows).index, row.alias


def test_no_source_is_idle():
    used = set()
    for name in table_names():
        if name != "sources":
            named = [c for c in table(name) if c == "source" or c.endswith("_source")]
            used |= {key for column in named for key in table(name)[column] if key}
    assert used == set(table("sources")["key"])


@pytest.mark.parametrize("name", table_names())
def test_text_is_clean(name):
    for column, values in table(name).select_dtypes("str").items():
        for value in values:
            assert value == value.strip() or "\n" in value, (column, value)
            assert not re.search(r"/(work|root|tmp)/|from memory|find_string", value), value


# -- what the tables must get right ---------------------------------------------------------
def test_peaks_are_dense_and_links_are_per_direction():
    chips = table("accelerators")
    assert chips.loc["h100-sxm", "peak_bf16_flop_per_s"] == pytest.approx(989.4e12)
    assert chips.loc["h100-sxm", "scaleup_bandwidth_bytes_per_s"] == 450e9
    assert chips.loc["b200-sxm", "peak_fp4_flop_per_s"] == 9e15
    assert chips.loc["b300-sxm", "peak_int8_op_per_s"] < 0.2e15  # cut to a thirtieth
    doubled = chips["peak_fp8_flop_per_s"] / chips["peak_bf16_flop_per_s"]
    assert doubled.dropna().between(0.99, 4.4).all()  # Vera Rubin: 17.5 over 4


def test_power_and_count_belong_to_the_same_unit():
    """A rack's power over a tray's accelerators would be wrong by 18."""
    chips = table("accelerators").dropna(subset=["server_power_w", "tdp_w"])
    per_chip_w = chips["server_power_w"] / chips["n_per_server"]
    assert len(chips) >= 6
    assert (per_chip_w / chips["tdp_w"]).between(1.0, 2.5).all()


def test_what_a_device_reports_is_near_what_is_sold():
    chips = table("accelerators")
    chips = chips[chips.index != "ryzen-ai-max-395"]  # shares its memory with the processor
    ratio = (chips["device_memory_bytes"] / chips["memory_bytes"]).dropna()
    assert ratio.between(1.0, 1.08).all()  # at most GiB read as GB


def test_every_model_of_the_measured_runs_is_there():
    wanted = {
        "gemma-3-12b",
        "gemma-3-27b",
        "glm-5",
        "gpt-oss-120b",
        "gpt-oss-20b",
        "kimi-k2.5",
        "llama-2-70b",
        "llama-2-7b",
        "llama-3.1-405b",
        "llama-3.1-70b",
        "llama-3.1-8b",
        "llama-3.3-70b",
        "llama-4-maverick",
        "llama-4-scout",
        "minimax-m2",
        "minimax-m2.5",
        "mixtral-8x7b",
        "qwen3-14b",
        "qwen3-235b-a22b",
        "qwen3-30b-a3b",
        "qwen3-32b",
        "qwen3-8b",
        "qwen3.5-397b-a17b",
    }
    assert wanted <= set(table("models").index)


def test_sites_hold_only_plausible_grids():
    sites = table("sites")
    assert len(sites) >= 25
    assert (sites["electricity_source"] == "").equals(sites["electricity_usd_per_kwh"].isna())
    virginia = sites.loc["us-virginia"]
    assert (virginia["electricity_usd_per_kwh"], virginia["carbon_g_per_kwh"]) == (0.0899, 244.8)


def test_prices_are_ordered_as_sellers_order_them():
    prices = table("api_prices")
    assert (prices["input_usd_per_mtok"] <= prices["output_usd_per_mtok"]).all()
    cached = prices.dropna(subset=["cached_input_usd_per_mtok"])
    assert (cached["cached_input_usd_per_mtok"] < cached["input_usd_per_mtok"]).all()
    written = prices.dropna(subset=["cache_write_usd_per_mtok"])
    assert (written["cache_write_usd_per_mtok"] >= written["input_usd_per_mtok"]).all()
