"""Loss laws: forms against each other, floors, inverses, bad input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import table
from econ.scaling.laws import Law, NoAnswer, effective_tokens, law, laws_frame

NAMES = sorted(table("scaling_laws").index)
SIZES = st.floats(1e7, 1e13)
TOKENS = st.floats(1e9, 1e16)


def test_kaplans_form_is_the_published_one():
    params, tokens = 1.5e9, 3e10
    published = ((6.4e13 / params) ** (0.076 / 0.103) + 1.8e13 / tokens) ** 0.103
    assert law("kaplan2020").loss(params, tokens) == pytest.approx(published, rel=1e-4)


def test_chinchilla_by_hand():
    by_hand = 1.6934 + 406.40 / 70e9**0.33917 + 410.72 / 1.4e12**0.28491
    assert law("hoffmann2022").loss(70e9, 1.4e12) == pytest.approx(by_hand)


@settings(deadline=None)
@given(st.sampled_from(NAMES), SIZES, TOKENS, st.floats(1.01, 100))
def test_more_of_either_is_never_worse_and_never_below_the_floor(id, params, tokens, more):
    one = law(id)
    now = one.loss(params, tokens)
    assert one.floor_nats < now
    assert one.loss(params * more, tokens) <= now
    assert one.loss(params, tokens * more) <= now


@settings(deadline=None)
@given(st.sampled_from(NAMES), SIZES, TOKENS)
def test_tokens_for_undoes_loss(id, params, tokens):
    one = law(id)
    found = one.tokens_for(params, float(one.loss(params, tokens)))
    # where data hardly matter any more, a loss no longer tells how many there were
    assert found == pytest.approx(tokens, rel=1e-3) or one.B * tokens**-one.beta < 1e-9


def test_a_size_too_small_needs_endless_data():
    one = law("besiroglu2024")
    least = one.smallest_params(2.2)
    assert one.tokens_for(least * 0.99, 2.2) == math.inf
    assert one.tokens_for(least * 1.01, 2.2) < math.inf
    many = one.tokens_for(np.array([least / 2, least * 2]), 2.2)
    assert many[0] == math.inf > many[1]


@pytest.mark.parametrize("target", [1.0, 1.81686])
def test_a_loss_below_the_floor_has_no_answer_and_says_why(target):
    with pytest.raises(NoAnswer, match=r"is not above 1\.817 nats.*no model reaches it"):
        law("besiroglu2024").tokens_for(1e9, target)


@pytest.mark.parametrize("bad", [0, -1, math.inf, math.nan, "large"])
def test_sizes_are_positive_numbers(bad):
    with pytest.raises(ValueError, match=r"params = .* is outside its range"):
        law("hoffmann2022").loss(bad, 1e12)


def test_a_bad_size_in_an_array_is_named_with_its_place():
    with pytest.raises(ValueError, match=r"tokens\[1\] = -1"):
        law("hoffmann2022").loss(1e9, np.array([1e9, -1.0]))


@pytest.mark.parametrize(
    ("name", "value"), [("A", 0), ("alpha", -0.3), ("E", -1), ("beta", math.nan), ("gamma", 0)]
)
def test_parameters_of_a_law_are_checked(name, value):
    good = {"E": 1.7, "A": 400, "B": 400, "alpha": 0.3, "beta": 0.3}
    with pytest.raises(ValueError, match=f"{name} = "):
        Law(**good | {name: value})


def test_unknown_names_list_the_nearest():
    with pytest.raises(ValueError, match="unknown law 'besiroglu'; nearest: besiroglu2024"):
        law("besiroglu")
    with pytest.raises(ValueError, match="unknown parameter with an interval 'E'"):
        law("hoffmann2022").interval("E")


def test_published_intervals_hold_the_published_values():
    for id in ("besiroglu2024", "chinchilla-240", "chinchilla-245"):
        one = law(id)
        for name in ("E", "A", "B", "alpha", "beta"):
            low, high = one.interval(name)
            assert low < getattr(one, name) < high
    assert set(laws_frame().index) == set(NAMES)


@settings(deadline=None)
@given(st.floats(1e6, 1e14), st.floats(1, 1e6))
def test_repeats_are_worth_less_than_fresh_text_and_have_an_end(unique, n):
    worth = effective_tokens(unique, n)
    assert unique * 0.999999 <= worth <= unique * min(n, 16.4) * 1.000001


def test_four_epochs_are_nearly_fresh():
    assert effective_tokens(1.0, 4) > 0.93 * 4
    with pytest.raises(ValueError, match=r"n_epochs = 0\.5"):
        effective_tokens(1e9, 0.5)
