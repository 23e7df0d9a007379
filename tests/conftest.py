"""What tests of several folders share: the site, built once."""

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def site_folder(tmp_path_factory, request):
    """The site, built once for all workers of a run; ``ECON_SITE`` names one that stands."""
    if named := os.environ.get("ECON_SITE"):
        return Path(named).resolve()
    import fcntl

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools" / "website"))
    import publish

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base
    site = shared / "build" / "site"
    site.parent.mkdir(exist_ok=True)
    with open(shared / "site.lock", "w") as lock:  # the first worker builds, another waits
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (site / "index.html").exists():
            publish.build(site)
    return site
