"""``python -m econ.catalog``: the audit of the data, and a look at what the price package says.

The audit prints rows, sources, kinds and stale rows by table. ``--refresh`` compares the dated API
prices with those of the installed price package; ``--refresh --write`` writes what it found.
"""

from __future__ import annotations

import argparse
import datetime

from econ.catalog.audit import audit_frame, price_changes_frame, refresh_prices, stale_frame


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
    if chosen.refresh:
        _refresh(chosen.on, chosen.write)
        return
    print(audit_frame(chosen.on).to_string(index=False))
    stale = stale_frame(chosen.on)
    print(f"\n{len(stale)} rows are past their stale_after on {chosen.on}")
    if len(stale):
        print(stale.to_string(index=False))
    print("\nThe price package can refresh api_prices: python -m econ.catalog --refresh")


def _refresh(on: str, write: bool) -> None:
    day = datetime.date.fromisoformat(on)
    changes = refresh_prices(day) if write else price_changes_frame(day)
    changed = changes[changes["state"] == "changed"]
    print(f"{len(changes)} prices are in the package as well; {len(changed)} differ")
    if len(changed):
        print(changed.drop(columns="state").to_string(index=False))
    print("Written." if write else "Nothing written; --write writes them.")


if __name__ == "__main__":
    main()
