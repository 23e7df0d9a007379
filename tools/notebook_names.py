"""Notebooks by name, as every tool that takes some of them takes them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
HELP = ("-h", "--help")


def named(
    names: Iterable[str], kinds: str = "[0-9A]*", folder: Path = NOTEBOOKS, usage: str = ""
) -> list[Path]:
    """The notebooks of these names, or all; with or without the ending, or a number alone.

    Ends the program for a name that none has, with the nearest, and with ``usage`` for ``--help``.

    >>> [path.name for path in named(["02", "01_tokens.ipynb"])]
    ['02_latency.ipynb', '01_tokens.ipynb']
    """
    every = {path.stem: path for path in sorted(folder.glob(f"{kinds}.ipynb"))}
    numbers = {stem.partition("_")[0]: stem for stem in every}
    wanted = []
    for name in names:
        if name in HELP:
            print("\n\n".join(filter(None, [usage.strip(), f"Notebooks: {', '.join(every)}"])))
            sys.exit(0)
        stem = Path(name).stem
        if numbers.get(stem, stem) not in every:
            from econ.catalog.guard import unknown

            sys.exit(str(unknown("notebook", name, every)))
        wanted.append(every[numbers.get(stem, stem)])
    return wanted or list(every.values())
