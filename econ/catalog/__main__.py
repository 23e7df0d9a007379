"""``python -m econ.catalog``: the audit of the data — rows, sources, kinds, stale rows."""

from __future__ import annotations

import argparse
import datetime

from econ.catalog.audit import audit_frame, stale_frame


def main(arguments: list[str] | None = None) -> None:
    """Print the audit as of today, or of ``--on YYYY-MM-DD``."""
    parser = argparse.ArgumentParser(prog="python -m econ.catalog", description=__doc__)
    parser.add_argument("--on", default=datetime.date.today().isoformat(), metavar="YYYY-MM-DD")
    on = parser.parse_args(arguments).on
    print(audit_frame(on).to_string(index=False))
    stale = stale_frame(on)
    print(f"\n{len(stale)} rows are past their stale_after on {on}")
    if len(stale):
        print(stale.to_string(index=False))


if __name__ == "__main__":
    main()
