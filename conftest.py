"""What every test shares: no stopwatch on a busy machine, a learner's file of its own, a cost."""

import csv
import os
import time
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import settings

# before NumPy is imported: threads of its linear algebra wait for each other on small matrices (an
# SVD of 1176 x 22 takes 1 CPU ms on one thread and 100 on two of a busy machine)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile("kit", deadline=None)  # speed is measured in bench/, not here
settings.load_profile("kit")

COSTS = Path(__file__).with_name("tests") / "costs.csv"  # by function, its cases together
SLOW_S = 0.5  # of processor time; what takes longer is listed
SPENT_S: dict[str, float] = defaultdict(float)


def pytest_addoption(parser):
    """``pytest --costs`` (without ``-n``) records what the tests that it runs cost."""
    parser.addoption("--costs", action="store_true", help=f"record processor time in {COSTS.name}")


def pytest_collection_modifyitems(items):
    """What the record lists is slow: `make quick` leaves it out."""
    with COSTS.open(encoding="utf-8") as file:
        slow = {row["test"] for row in csv.DictReader(file)}
    for item in items:
        if item.nodeid.partition("[")[0] in slow:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Add a test's processor time, and that of the commands it waited for, to its function's."""
    began_s = _processor_s()
    done = yield
    SPENT_S[item.nodeid.partition("[")[0]] += _processor_s() - began_s
    return done


def _processor_s() -> float:
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def pytest_sessionfinish(session):
    """Write the record anew, dearest first."""
    if session.config.getoption("--costs"):
        costs = sorted(SPENT_S.items(), key=lambda cost: -cost[1])
        with COSTS.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(["test", "processor_s"])
            rows.writerows([name, f"{spent:.1f}"] for name, spent in costs if spent > SLOW_S)


@pytest.fixture(autouse=True, scope="session")
def learner(tmp_path_factory):
    """Keep what checks, predictions and price lists leave in folders that the run throws away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("ECON_STATE", str(tmp_path_factory.mktemp("state") / "learner.json"))
        yield
