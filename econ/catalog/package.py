"""The descriptor of the data package, written from ``columns.csv`` and ``tables.toml``.

``python -m econ.catalog.package`` writes ``data/datapackage.json``. A table there is its file, what
it holds, its key and its columns with their limits; titles, units and meanings come from
``data/columns.csv``. Where a table means something narrower by a column, it says so.

>>> descriptor()["resources"][0]["name"]
'accelerators'
"""

from __future__ import annotations

import csv
import json
import re
import tomllib
from typing import Any

from econ.catalog.documents import replace
from econ.catalog.tables import DATE, KINDS, data_dir

HEAD = {
    "name": "inference-economics",
    "title": "Facts for the economics of AI inference",
    "description": "Selected, unit-normalised and dated by this project; every row names its "
    "source.",
    "licenses": [
        {
            "name": "CC-BY-4.0",
            "title": "Creative Commons Attribution 4.0",
            "path": "https://creativecommons.org/licenses/by/4.0/",
        }
    ],
    "profile": "tabular-data-package",
}
CSV = {
    "format": "csv",
    "mediatype": "text/csv",
    "encoding": "utf-8",
    "profile": "tabular-data-resource",
}
RULES = {"required": "required", "min": "minimum", "max": "maximum", "enum": "enum"}
USUAL: dict[str, dict[str, Any]] = {  # columns that are alike in every table
    "source": {"required": True},
    "as_of": {"required": True, "pattern": "date"},
    "kind": {"required": True, "enum": list(KINDS)},
    "stale_after": {"pattern": "date"},
}
PATTERNS = {"date": DATE}
ENDS = ("low", "typical", "median", "high")


def descriptor() -> dict[str, Any]:
    """The descriptor as it should be: a Frictionless data package."""
    with (data_dir() / "columns.csv").open(newline="", encoding="utf-8") as file:
        known = {row["name"]: row for row in csv.DictReader(file)}
    tables = tomllib.loads((data_dir() / "tables.toml").read_text(encoding="utf-8"))
    return HEAD | {"resources": [_resource(name, t, known) for name, t in tables.items()]}


def _resource(
    name: str, declared: dict[str, Any], known: dict[str, dict[str, str]]
) -> dict[str, Any]:
    columns: dict[str, dict[str, Any]] = declared["columns"]
    if missing := sorted(set(columns) - set(known)):
        raise ValueError(f"table {name}: no row of columns.csv for {', '.join(missing)}")
    schema: dict[str, Any] = {
        "fields": [_field(known[column], rules) for column, rules in columns.items()],
        "primaryKey": declared["key"],
    }
    if ordered := _ordered(list(columns)):
        schema["ordered"] = ordered
    sources = [c for c in columns if c == "source" or c.endswith("_source")]
    if sources:
        reference = {"resource": "sources", "fields": "key"}
        schema["foreignKeys"] = [{"fields": c, "reference": reference} for c in sources]
    about = {"name": name, "path": declared["file"], "description": declared["about"]}
    return about | CSV | {"schema": schema}


def _ordered(columns: list[str]) -> list[list[str]]:
    """Columns of one quantity that must not fall from low to high in any row."""
    runs = []
    for column in columns:
        if re.search(r"(^|_)low(_|$)", column):
            run = [re.sub(r"(?<![a-z])low(?![a-z])", end, column) for end in ENDS]
            runs.append([name for name in run if name in columns])
    return [run for run in runs if len(run) > 1]


def _field(row: dict[str, str], rules: dict[str, Any]) -> dict[str, Any]:
    rules = USUAL.get(row["name"], {}) | rules
    field = {
        "name": row["name"],
        "title": row["title"],
        "type": rules.get("type", "number" if row["digits"] else "string"),
        "description": rules.get("meaning", row["meaning"]),
    }
    if unit := rules.get("unit", row["unit"]):
        field["unit"] = unit
    limits = {theirs: rules[ours] for ours, theirs in RULES.items() if ours in rules}
    if "pattern" in rules:
        limits["pattern"] = PATTERNS.get(rules["pattern"], rules["pattern"])
    return field | ({"constraints": limits} if limits else {})


def text() -> str:
    """The descriptor as it is committed."""
    return json.dumps(descriptor(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    replace(data_dir() / "datapackage.json", text().encode())
