"""Whatever a scenario says is felt by every station, refused by name, or listed with a reason.

Each field is changed alone; the answer of each station must change, or the station must refuse the
new value in words that name it. What stays is listed in `IGNORED` with the reason, and an entry
that is no longer true fails too.
"""

import functools

import pytest

import econ
from econ.station import Result
from tests.flow.cases import CHANGES, DESCRIPTIVE, STATIONS, fields_of

LABEL = "a label"
MONEY = "physics only: what it costs, and where, is for econ.tco and the bill"
ASKED = "answers for the users it is asked about, whatever is promised to them"
MEANS = "the closed form knows means and a fixed number of users; arrivals are the simulator's"
SENT = "tokens that are sent together are made no later: latency states the gaps between messages"
THOUGHT = "a token that is thought takes and costs what a token that is read does"
SHARES = "the closed form has no shares: how many requests keep the SLO is simulated"
PLANNED = "plan searches over it: the scenario's own value is one of those it compares"
CHOSEN = "the replica that a plan chooses has no experts spread, so nothing waits for them"
TERMS = "decide weighs renting and owning on every term side by side: terms= restricts them"
PLACE = "where it stands and whose it is does not change when a token comes"
ADDS_UP = "what calls add up to changes no call"
CALLS = "sessions bring calls of their own: lengths, arrivals, and a hit share that comes out"
PRICES = (
    "tenure", "term", "cost_usd_per_gpu_hour", "cost_of_capital_frac", "life_years", "server_usd",
)  # fmt: skip
ARRIVALS = ("arrival", "rate_per_s", "arrival_cv", "rank_correlation")

# reason -> (stations, fields)
REASONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    LABEL: (tuple(STATIONS), ("name",)),
    MONEY: (("latency", "serving", "energy"), tuple(f"finance.{name}" for name in PRICES)),
    PLACE: (("latency", "serving"), ("site", "operator", "finance.utilisation_frac")),
    ASKED: (("latency", "energy"), ("slo.ttft_s", "slo.tpot_s")),
    SHARES: (("latency", "energy", "tco"), ("slo.attainment_frac",)),
    MEANS: (("latency", "energy", "tco"), tuple(f"workload.{name}" for name in ARRIVALS)),
    SENT: (tuple(n for n in STATIONS if n != "latency"), ("deployment.stream_interval",)),
    THOUGHT: (tuple(n for n in STATIONS if n != "serving"), ("workload.reasoning_frac",)),
    ADDS_UP: (("latency", "serving"), ("workload.task",)),
    CALLS: (
        ("sessions",),
        (
            "workload.task",
            *(f"workload.{name}" for name in (*ARRIVALS, "cached_frac", "reasoning_frac")),
            "workload.input_quantile_tokens",
            "workload.output_quantile_tokens",
        ),
    ),
    PLANNED: (
        ("plan", "decide"),
        tuple(f"deployment.{name}" for name in ("n_gpu", "tp", "pp", "dp")),
    ),
    CHOSEN: (("decide",), ("deployment.ep", "deployment.dp_wait_steps")),
    TERMS: (("decide",), ("finance.term", "finance.tenure")),
}
IGNORED: dict[tuple[str, str], str] = {
    (station, name): reason
    for reason, (stations, names) in REASONS.items()
    for station in stations
    for name in names
}


# searching and simulating takes longer than `make quick` should
WALKED = [
    pytest.param(name, marks=pytest.mark.slow) if name in ("plan", "bill", "decide") else name
    for name in STATIONS
]


@functools.cache
def _answer(station: str, base: econ.Scenario) -> str:
    """What a station says of a scenario: all its numbers, or its refusal."""
    try:
        answer = STATIONS[station](base)
        assert isinstance(answer, Result)
        return f"{answer.row()}\n{answer.frame().to_csv()}"
    except ValueError as error:
        return f"refused: {error}"


def test_every_field_of_a_scenario_has_a_change():
    assert set(CHANGES) == set(fields_of()) - DESCRIPTIVE


@pytest.mark.parametrize("field", CHANGES)
@pytest.mark.parametrize("station", WALKED)
def test_a_field_is_felt_or_refused(station, field):
    base, change = CHANGES[field]
    before, after = _answer(station, base), _answer(station, base.with_(**change))
    assert not before.startswith("refused"), before
    reason = IGNORED.get((station, field))
    if reason:
        assert before == after, f"{field} is felt by {station}: take it out of IGNORED ({reason})"
        return
    assert before != after, f"{station} ignores {field}"
    if after.startswith("refused"):
        words = field.split(".")[-1].split("_")[0]
        assert words in after, f"the refusal does not name {field}: {after}"
