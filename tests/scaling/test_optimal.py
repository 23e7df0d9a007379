"""Budgets and whole lives: closed forms against a search, limits, published claims."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ import scaling as package
from econ.catalog import model
from econ.latency import flop_per_token
from econ.scaling.laws import NoAnswer, law
from econ.scaling.optimal import (
    compute_optimal,
    lifetime_frame,
    lifetime_optimal,
    loss,
    optimal_flop,
    optimum_for,
    training_flop,
)

LAWS = st.sampled_from(["hoffmann2022", "besiroglu2024", "kaplan2020", "sardana2023"])


def test_everything_of_the_lesson_is_importable_from_here():
    for name in package.__all__:
        assert callable(getattr(package, name)), name


@settings(deadline=None)
@given(LAWS, st.floats(1e17, 1e28))
def test_no_other_split_of_the_budget_is_better(id, flop):
    params, tokens = compute_optimal(flop, id)
    assert training_flop(params, tokens) == pytest.approx(flop)
    best = loss(params, tokens, id)
    others = params * np.geomspace(0.1, 10, 41)
    assert (loss(others, flop / 6 / others, id) >= best * (1 - 1e-12)).all()


@settings(deadline=None)
@given(LAWS, st.floats(1e17, 1e28))
def test_optimal_flop_and_optimum_for_undo_compute_optimal(id, flop):
    params, tokens = compute_optimal(flop, id)
    assert optimal_flop(params, id) == pytest.approx(flop, rel=1e-9)
    again = optimum_for(float(loss(params, tokens, id)), id)
    assert again.params == pytest.approx(params, rel=1e-5)
    assert again.tokens == pytest.approx(tokens, rel=1e-5)


def test_attention_by_hand():
    plain = training_flop(540e9, 1)
    more = training_flop(540e9, 1, n_layers=118, attention_size=48 * 256, context_tokens=2048)
    assert more - plain == pytest.approx(12 * 118 * 48 * 256 * 2048)


@settings(max_examples=25, deadline=None)
@given(LAWS, st.floats(1e9, 1e11), st.floats(1e8, 1e15))
def test_the_lifetime_optimum_is_no_larger_no_dearer_and_as_good(id, quality, served):
    trained = compute_optimal(optimal_flop(quality, id), id)
    target = float(loss(*trained, id))
    best = lifetime_optimal(target, served, id)
    assert best.params <= trained.params * 1.0001
    assert best.total <= best.baseline * (1 + 1e-9)
    assert loss(best.params, best.tokens, id) == pytest.approx(target, rel=1e-9)
    assert best.training == pytest.approx(6 * best.params * best.tokens)
    assert best.inference == pytest.approx(2 * best.params * served)
    grid = lifetime_frame(target, served, id, n=200)
    assert best.total <= grid["total"].min() * (1 + 1e-6)


def test_without_demand_it_is_the_training_optimum():
    best = lifetime_optimal(2.1, 0, "besiroglu2024")
    assert best.params == pytest.approx(optimum_for(2.1, "besiroglu2024").params, rel=1e-3)
    assert best.saving_frac == pytest.approx(0, abs=1e-6)


def test_sardana_s_thirteen_billion():
    target = loss(*compute_optimal(optimal_flop(13e9, "sardana2023"), "sardana2023"), "sardana2023")
    best = lifetime_optimal(float(target), 2e12, "sardana2023")
    assert best.params == pytest.approx(7e9, rel=0.01)  # the paper trains a 7B instead of a 13B
    assert best.baseline - best.total == pytest.approx(1.7e22, rel=0.03)  # and saves this


def test_prices_move_the_optimum_as_they_should():
    cheap, dear = (
        lifetime_optimal(
            2.2, 1e12, "besiroglu2024", training_usd_per_flop=2e-18,
            inference_usd_per_token=lambda n, rate=rate: rate * n,
        )
        for rate in (1e-18, 1e-17)
    )  # fmt: skip
    assert dear.params < cheap.params
    assert dear.unit == "USD"
    flat = lifetime_optimal(  # if size costs nothing in service, training alone decides
        2.2, 1e12, "besiroglu2024", training_usd_per_flop=2e-18,
        inference_usd_per_token=lambda n: 1e-7,
    )  # fmt: skip
    assert flat.params == pytest.approx(optimum_for(2.2, "besiroglu2024").params, rel=0.01)


def test_bad_input_says_why():
    with pytest.raises(NoAnswer, match="no model reaches it"):
        lifetime_optimal(1.6, 1e12, "besiroglu2024")
    with pytest.raises(ValueError, match="needs both"):
        lifetime_optimal(2.2, 1e12, "besiroglu2024", training_usd_per_flop=1e-18)
    with pytest.raises(ValueError, match="inference_tokens = -1"):
        lifetime_optimal(2.2, -1, "besiroglu2024")
    for call in (lambda: compute_optimal(0, "hoffmann2022"), lambda: training_flop(-1, 1e9)):
        with pytest.raises(ValueError, match="outside its range"):
            call()
    with pytest.raises(ValueError, match="unknown law 'hoffman2022'; nearest: hoffmann2022"):
        compute_optimal(1e20, "hoffman2022")


def test_the_exponent_is_the_published_one():
    assert law("hoffmann2022").params_exponent == pytest.approx(0.28491 / (0.33917 + 0.28491))
    ratio = compute_optimal(1e24, "hoffmann2022").params / compute_optimal(1e22, "hoffmann2022")[0]
    assert math.log10(ratio) / 2 == pytest.approx(0.4565, abs=1e-3)


def test_training_counts_causal_and_latent_attention_as_they_are_trained():
    """Against three decodes: half of the context, and no absorbed products."""
    llama, deepseek = model("llama-3.1-70b"), model("deepseek-v3")
    plain = training_flop(llama.active_params, 1e12)
    assert training_flop(llama, 1e12) == pytest.approx(plain)
    causal = training_flop(llama, 1e12, context_tokens=8192) - plain
    by_hand = 12 * llama.n_layers * llama.n_heads * llama.head_dim * 8192 / 2 * 1e12
    assert causal == pytest.approx(by_hand)
    again = training_flop(llama, 1e12, context_tokens=8192, recompute_frac=1.0)
    assert again == pytest.approx(4 / 3 * (plain + causal))
    # 3 decodes of DeepSeek-V3 at 4,096 tokens overstate it by more than a tenth
    decodes = 3 * flop_per_token(deepseek, 4096) * 1e12
    assert decodes > 1.1 * training_flop(deepseek, 1e12, context_tokens=4096)
    with pytest.raises(ValueError, match="a model brings its shape"):
        training_flop(llama, 1e12, n_layers=80)
