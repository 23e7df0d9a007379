"""Where the project is published: one address, from which every link and button follows.

``[project.urls] Repository`` in ``pyproject.toml`` (or ``ECON_REPOSITORY``) names it, e.g.
``https://github.com/owner/name``. Without it the pages have no button that could not work.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def repository() -> str:
    """The repository's address, or nothing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = os.environ.get("ECON_REPOSITORY") or project.get("urls", {}).get("Repository", "")
    return address.rstrip("/")


def site() -> str:
    """The address of the site on GitHub Pages, or nothing.

    >>> import os; os.environ["ECON_REPOSITORY"] = "https://github.com/owner/name"
    >>> site()
    'https://owner.github.io/name/'
    >>> del os.environ["ECON_REPOSITORY"]
    """
    host, _, path = repository().removeprefix("https://").partition("/")
    owner, _, name = path.partition("/")
    return f"https://{owner}.github.io/{name}/" if host == "github.com" and name else ""


def buttons(notebook: str) -> dict[str, str]:
    """Links that open a notebook elsewhere, by their words; empty without an address."""
    address = repository()
    host, _, path = address.removeprefix("https://").partition("/")
    if host != "github.com" or "/" not in path:
        return {}
    file = f"notebooks/{notebook}"
    return {
        "Open in Binder": f"https://mybinder.org/v2/gh/{path}/HEAD?urlpath=lab/tree/{file}",
        "Open in Colab": f"https://colab.research.google.com/github/{path}/blob/main/{file}",
        "Open in Codespaces": f"https://codespaces.new/{path}",
        "Edit": f"{address}/edit/main/{file}",
    }
