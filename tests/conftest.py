"""What tests of several folders share: the site, built once."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WEBSITE = Path(__file__).resolve().parents[1] / "tools" / "website"
BUILD = "import pathlib, publish, sys; publish.build(pathlib.Path(sys.argv[1]))"
BUILD_S = 1100  # three minutes of processor time on a busy machine; twice is below a test's own end


@pytest.fixture(scope="session")
def site_folder(tmp_path_factory, request):
    """The site, built once for all workers of a run; ``ECON_SITE`` names one that stands."""
    if named := os.environ.get("ECON_SITE"):
        return Path(named).resolve()
    import fcntl

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base
    site = shared / "build" / "site"
    site.parent.mkdir(exist_ok=True)
    with open(shared / "site.lock", "w") as lock:  # the first worker builds, another waits
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (site / "index.html").exists():
            assert _builds(site) or _builds(site), f"twice the site's build took over {BUILD_S} s"
    return site


def _builds(site: Path) -> bool:
    """Build it in a process of its own; False where that hangs, its stacks on stderr."""
    path = os.pathsep.join([str(WEBSITE), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1"}
    words = [sys.executable, "-c", BUILD, site]
    with subprocess.Popen(words, env=env, start_new_session=True) as build:
        try:
            assert build.wait(BUILD_S) == 0, "the site was not built; why stands above"
        except subprocess.TimeoutExpired:
            print(f"The site's build hangs after {BUILD_S} s:", file=sys.stderr, flush=True)
            os.killpg(build.pid, signal.SIGABRT)  # each of its processes says where it is
            time.sleep(5)
            return False
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(build.pid, signal.SIGKILL)
    return True
