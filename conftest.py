"""What every test shares: a learner's file of its own, so that none touches the reader's."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def learner(tmp_path_factory):
    """Keep what checks and predictions remember in a folder that the run throws away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECON_STATE", str(tmp_path_factory.mktemp("state") / "learner.json"))
        yield
