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

MONEY = "money and its use come after the physics: econ.tco"
CLOSED = "the closed form knows means and a fixed number of users, not arrivals"
SPREAD = "the closed form takes mean lengths; how they vary is for the simulator"
PLANNED = "plan searches over it: the scenario's own value is one of those it compares"
IGNORED: dict[tuple[str, str], str] = {
    **{("*", name): "a label" for name in ("name",)},
    **{("plan", f"deployment.{name}"): PLANNED for name in ("n_gpu", "tp", "pp", "dp")},
    ("plan", "workload.reasoning_frac"): "a token that is thought takes and costs as one that is "
    "read",
}


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
@pytest.mark.parametrize("station", STATIONS)
def test_a_field_is_felt_or_refused(station, field):
    base, change = CHANGES[field]
    before, after = _answer(station, base), _answer(station, base.with_(**change))
    assert not before.startswith("refused"), before
    reason = IGNORED.get((station, field)) or IGNORED.get(("*", field))
    if reason:
        assert before == after, f"{field} is felt by {station}: take it out of IGNORED ({reason})"
        return
    assert before != after, f"{station} ignores {field}"
    if after.startswith("refused"):
        words = field.split(".")[-1].split("_")[0]
        assert words in after, f"the refusal does not name {field}: {after}"
