"""The fleets of a decision: parts of large loads, spares."""

import pytest

import econ
from econ.decision import searching
from tests.decision.cases import QUICK, scenario


def test_parts_of_a_large_load_say_what_the_whole_says(monkeypatch):
    """A fleet of parts is no smaller, and larger by four replicas in a hundred at most."""
    s = scenario().with_(rate_per_s=700.0)
    in_parts = econ.decide(s, terms=["on-demand"], no_api=True, **QUICK)
    monkeypatch.setattr(searching, "n_parts", lambda rate_per_s, output_tokens: 1)
    whole = econ.decide(s, terms=["on-demand"], no_api=True, **QUICK)
    one, other = (d.fleets["h100-sxm", "rent"] for d in (in_parts, whole))
    assert any("2 equal parts" in note for note in in_parts.notes)
    assert other.n_replicas <= one.n_replicas <= 1.04 * other.n_replicas
    assert one.rate_per_s == pytest.approx(other.rate_per_s, rel=0.03)


def test_spares_are_paid():
    s = scenario().with_(rate_per_s=2.0)
    none, two = (
        econ.decide(s, terms=["on-demand"], no_api=True, n_spare=n, **QUICK) for n in (0, 2)
    )
    fleet = none.fleets["h100-sxm", "rent"]
    chips = [next(o for o in d.options if o.kind == "on-demand").n_gpu for d in (none, two)]
    assert chips[1] == chips[0] + 2 * fleet.n_gpu_per_replica
    assert two.usd_per_day > 1.2 * none.usd_per_day
