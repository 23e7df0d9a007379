"""What every test shares: no stopwatch on a busy machine, and a learner's file of its own."""

import pytest
from hypothesis import settings

settings.register_profile("kit", deadline=None)  # speed is measured in bench/, not here
settings.load_profile("kit")


@pytest.fixture(autouse=True, scope="session")
def learner(tmp_path_factory):
    """Keep what checks and predictions remember in a folder that the run throws away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECON_STATE", str(tmp_path_factory.mktemp("state") / "learner.json"))
        yield
