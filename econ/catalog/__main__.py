"""``python -m econ.catalog``: the audit of the data, and a look at what the price package says.

The audit prints rows, sources, kinds and stale rows by table. ``--refresh`` compares the dated API
prices with those of the installed price package; ``--refresh --write`` writes what it found.
"""

from __future__ import annotations

import argparse
import datetime

from econ.catalog import audit
from econ.catalog.reading import wrong_input


def main(arguments: list[str] | None = None) -> None:
    """Print the audit as of today, or of ``--on YYYY-MM-DD``; with ``--refresh`` the prices."""
    parser = argparse.ArgumentParser(prog="python -m econ.catalog", description=__doc__)
    today = datetime.date.today().isoformat()
    parser.add_argument("--on", default=today, metavar="YYYY-MM-DD", help="the day; today if left")
    parser.add_argument("--refresh", action="store_true", help="compare with the price package")
    parser.add_argument("--write", action="store_true", help="with --refresh: write what it says")
    chosen = parser.parse_args(arguments)
    if chosen.write and not chosen.refresh:
        parser.error("--write needs --refresh")
    with wrong_input(parser):
        day = audit.day_of(chosen.on)
    if chosen.refresh:
        _refresh(day, chosen.write)
        return
    print(audit.audit_frame(chosen.on).to_string(index=False))
    stale = audit.stale_frame(chosen.on)
    print(f"\n{len(stale)} rows are past their stale_after on {chosen.on}")
    if len(stale):
        print(stale.to_string(index=False))
    print("\nThe price package can refresh api_prices: python -m econ.catalog --refresh")


def _refresh(day: datetime.date, write: bool) -> None:
    changes = audit.refresh_prices(day) if write else audit.price_changes_frame(day)
    changed = changes[changes["state"] == "changed"]
    print(f"{len(changes)} prices are in the package as well; {len(changed)} differ")
    if len(changed):
        print(changed.drop(columns="state").to_string(index=False))
    print("Written." if write else "Nothing written; --write writes them.")


if __name__ == "__main__":
    main()
