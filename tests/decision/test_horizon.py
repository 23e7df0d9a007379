"""What the years cost, in words: a growing load is said to grow, and what it buys is counted."""

import functools

import numpy as np
import pytest

import econ
from econ.catalog.ranges import Range
from econ.decision.horizon import changes, horizon_words, purchases_words
from econ.decision.pages import assumed_line, question
from econ.decision.result import family_of
from econ.decision.words import money
from tests.decision.cases import QUICK, answer, busy, scenario

RATE = 0.1025


@functools.cache
def owned():
    """Data that must stay, a load that grows, a spare replica."""
    return econ.decide(
        scenario(10e9), on_premises=True, growth_per_year=Range(1.0, 1.5, 2.0), n_spare=1,
        **(QUICK | {"accelerators": ["H100", "MI300X"]}),
    )  # fmt: skip


def test_growth_stands_wherever_the_load_does():
    words = "× 1.5 a year (1 to 2)"
    memo = owned().memo()
    for text in (question(owned()), assumed_line(owned()), memo):
        assert words in text
    assert f"The load is taken to grow {words}" in memo
    assert "a year, of" not in question(answer())
    assert "The load is taken not to grow" in answer().memo()


def test_a_year_that_is_the_first_of_dearer_ones_is_called_so():
    own = owned().chosen
    assert own.by_year_usd[2] > 1.2 * own.by_year_usd[0]
    line, memo = str(owned()), owned().memo()
    assert f"{money(own.usd_per_year)} in the first year" in line
    assert f"{own.name} {', '.join(map(money, own.by_year_usd))}" in memo
    assert not any(map(changes, answer().eligible))
    assert "a year (" in str(answer())
    assert "Year by year" not in answer().memo()


def test_the_total_of_what_is_bought_can_be_recomputed_from_the_memo():
    """By hand: purchases as they are paid, the rest in the middle of a year, less the resale."""
    own, words, memo = owned().chosen, purchases_words(owned()), owned().memo()
    years = np.arange(3)
    total = sum(own.capital_by_year_usd / (1 + RATE) ** years)
    total += sum(own.running_by_year_usd / (1 + RATE) ** (years + 0.5))
    total -= own.resale_usd / (1 + RATE) ** 3
    assert own.npv_typical_usd == pytest.approx(total)
    for usd in (own.capital_by_year_usd[0], own.capital_by_year_usd[1], own.resale_usd):
        assert f"${usd:,.0f}" in words
    assert words in memo
    month = RATE / 12
    annuity = 12 * sum(own.bought.values()) * month / (1 - (1 + month) ** -60)
    assert f"${annuity:,.0f} a year over 5 years at 10.25%, paid back by the month" in memo


def test_where_one_family_is_left_the_next_of_it_stands_beside():
    other = owned().next_best
    assert family_of(other) == family_of(owned().chosen)
    assert other is owned().eligible[1]
    assert f"| {other.name} (" in owned().memo()
    assert horizon_words(owned()).count("as built up below") == 1  # only one of them is


def test_counts_of_servers_are_whole_and_said():
    own, fleet = owned().chosen, owned().fleet()
    assert own.n_gpu_sure % 8 == 0
    needed = (fleet.n_replicas + 1) * fleet.n_gpu_per_replica
    memo = owned().memo()
    assert own.n_gpu >= needed
    assert ("servers are bought whole" in memo) == (own.n_gpu > needed)
    assert f"{fleet.n_replicas + 1} × this (1 of them to spare)" in memo


def test_a_memo_says_nothing_of_what_is_not_on_its_menu():
    api = econ.decide(scenario(), sold_as="claude-sonnet-4-5", terms=["api"], **QUICK)
    memo = api.memo()
    assert "a closed model has no weights to serve" in memo
    for words in (
        "not asked for",
        "tensor parallelism",
        "rents change",
        "negotiated",
        "machines c",
    ):
        assert words not in memo, words
    assert "prices of tokens" not in owned().memo()
    both = busy().memo()
    assert "rents change by" in both
    assert "and prices of tokens by" in both
