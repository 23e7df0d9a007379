"""Licences of everything in the hashed lock, as each package states its own: tools/licences.csv.

``python tools/licences.py`` after `make lock`. A package that only other systems need is not
installed here; its licence stays what the list said, or is empty until somebody looks.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from econ.catalog.documents import replace  # noqa: E402

LIST = ROOT / "tools" / "licences.csv"
LOCK = ROOT / "requirements.lock"
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", re.M)
HEAD = ("package", "version", "licence")
LONGEST = 60  # characters of a licence's first line, where its text is all there is


def pins() -> list[tuple[str, str]]:
    """Packages and versions of the lock."""
    return sorted(set(PIN.findall(LOCK.read_text(encoding="utf-8"))))


def licence(name: str) -> str:
    """What an installed package says of itself, of whichever version; empty where there is none."""
    try:
        package = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return ""
    about = package.metadata
    if stated := about.get("License-Expression"):
        return str(stated)
    kinds = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    names = [kind.rpartition(" :: ")[2] for kind in kinds if not kind.endswith("OSI Approved")]
    free = str(about.get("License") or "").strip()
    files = [file for file in package.files or [] if "licen" in file.name.lower()]
    texts = [free] if free else [str(file.read_text()) for file in files[:1]]
    return "; ".join(names) or "".join(text.strip().splitlines()[0][:LONGEST] for text in texts)


def listed() -> dict[tuple[str, str], str]:
    """The list as it stands."""
    if not LIST.exists():
        return {}
    with LIST.open(newline="", encoding="utf-8") as file:
        return {(row["package"], row["version"]): row["licence"] for row in csv.DictReader(file)}


def rows() -> list[tuple[str, str, str]]:
    """The list as it should stand."""
    before = listed()
    return [(*pin, licence(pin[0]) or before.get(pin, "")) for pin in pins()]


def text() -> str:
    """The list as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEAD, *rows()])
    return out.getvalue()


if __name__ == "__main__":
    replace(LIST, text().encode())
    empty = [name for name, _, stated in rows() if not stated]
    print(f"{LIST.relative_to(ROOT)}: {len(rows())} packages; without a licence: {empty}")
