"""Find a Chromium for the browser tests, install one where that is possible, or say what to do.

``python tools/chromium.py`` prints the path; ``ECON_CHROMIUM=/path/to/chrome`` overrides it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
MAC_APPS = ["Chromium", "Google Chrome"]
HELP = """No Chromium was found, and none could be installed from here. The browser tests need one:
  Debian, Ubuntu   sudo apt-get install chromium
  Fedora           sudo dnf install chromium
  macOS            brew install --cask chromium
or name yours:     ECON_CHROMIUM=/path/to/chrome make test"""


def find() -> str | None:
    """The path of a Chromium or Chrome, or None."""
    named = os.environ.get("ECON_CHROMIUM")
    if named:
        return named if Path(named).exists() else sys.exit(f"ECON_CHROMIUM={named}: no such file")
    found = [shutil.which(name) for name in NAMES]
    apps = [Path(f"/Applications/{app}.app/Contents/MacOS/{app}") for app in MAC_APPS]
    return next((p for p in [*found, *(str(a) for a in apps if a.exists())] if p), None)


def install() -> None:
    """Try the system's packages: apt-get as root (or by sudo without a password), else Homebrew."""
    if shutil.which("apt-get"):
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-q"], ["install", "-y", "-q", "chromium"]):
            subprocess.run([*root, "apt-get", *words], env=quiet, stdout=sys.stderr, check=False)
    elif shutil.which("brew"):
        subprocess.run(["brew", "install", "--cask", "chromium"], stdout=sys.stderr, check=False)


def path() -> str:
    """The path of a Chromium, installed first if need be; exits with advice where that fails."""
    if not (found := find()):
        install()
    return found or find() or sys.exit(HELP)


if __name__ == "__main__":
    print(path())
