"""Bills by hand, in decimals; conversations against their closed form."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog import Price, price
from econ.tokens.bill import agent_loop_tokens, conversation_tokens, token_bill, turns_bill

LIST = Price(
    model="m",
    input_usd_per_mtok=3.0,
    cached_input_usd_per_mtok=0.3,
    cache_write_usd_per_mtok=3.75,
    output_usd_per_mtok=15.0,
    batch_discount_frac=0.5,
)
PLAIN = Price(model="plain", input_usd_per_mtok=2.0, output_usd_per_mtok=8.0)


def test_every_part_by_hand():
    bill = token_bill(
        LIST,
        input_tokens=10_000,
        cache_read_tokens=6_000,
        cache_write_tokens=3_000,
        output_tokens=2_000,
        reasoning_tokens=1_500,
    )
    million = Decimal(1_000_000)
    by_hand = {
        "fresh_input": 1_000 * Decimal("3") / million,
        "cache_read": 6_000 * Decimal("0.3") / million,
        "cache_write": 3_000 * Decimal("3.75") / million,
        "answer": 500 * Decimal("15") / million,
        "reasoning": 1_500 * Decimal("15") / million,
    }
    for part, usd in by_hand.items():
        assert getattr(bill, f"{part}_usd") == pytest.approx(float(usd), rel=1e-12)
    assert bill.total_usd == pytest.approx(float(sum(by_hand.values())), rel=1e-12)
    assert bill.input_tokens == 10_000
    assert bill.output_tokens == 2_000


def test_batch_halves_and_must_be_listed():
    whole = token_bill(LIST, input_tokens=100, output_tokens=100)
    assert token_bill(LIST, input_tokens=100, output_tokens=100, batch=True).total_usd == (
        pytest.approx(whole.total_usd / 2)
    )
    with pytest.raises(ValueError, match="plain lists no batch discount"):
        token_bill(PLAIN, input_tokens=1, output_tokens=1, batch=True)


def test_a_list_without_a_cached_rate_bills_as_fresh():
    fresh = token_bill(PLAIN, input_tokens=1000, output_tokens=0)
    cached = token_bill(PLAIN, input_tokens=1000, cache_read_tokens=900, output_tokens=0)
    assert cached.total_usd == pytest.approx(fresh.total_usd)


tokens = st.integers(0, 10**7)


@given(tokens, tokens, tokens, tokens, tokens)
def test_no_token_is_billed_twice(fresh, read, write, answer, reasoning):
    bill = token_bill(
        LIST,
        input_tokens=fresh + read + write,
        cache_read_tokens=read,
        cache_write_tokens=write,
        output_tokens=answer + reasoning,
        reasoning_tokens=reasoning,
    )
    frame = bill.frame()
    assert frame["tokens"].sum() == fresh + read + write + answer + reasoning
    assert frame["usd"].sum() == pytest.approx(bill.total_usd)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ({"input_tokens": 10, "cache_read_tokens": 11, "output_tokens": 0}, "cache_read_tokens"),
        ({"input_tokens": 0, "output_tokens": 5, "reasoning_tokens": 6}, "reasoning_tokens = 6"),
        ({"input_tokens": -1, "output_tokens": 0}, "input_tokens = -1"),
        ({"input_tokens": float("nan"), "output_tokens": 0}, "input_tokens = nan"),
    ],
)
def test_impossible_parts_are_refused(words, match):
    with pytest.raises(ValueError, match=match):
        token_bill(LIST, **words)


@given(st.integers(1, 200), st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000))
def test_a_conversation_grows_as_its_closed_form(n, user, assistant, system):
    frame = conversation_tokens(n, user, assistant, system)
    closed = n * system + user * n * (n + 1) // 2 + assistant * n * (n - 1) // 2
    assert frame["input_tokens"].sum() == closed
    assert (frame["repeated_tokens"] <= frame["input_tokens"]).all()
    # what is new at a turn is what the user wrote; the model's own words were seen before
    assert (frame["input_tokens"] - frame["repeated_tokens"])[1:].eq(user).all()


def test_an_agent_by_hand():
    steps = agent_loop_tokens(
        3, system_tokens=1000, task_tokens=100, step_output_tokens=20, tool_result_tokens=300
    )
    assert steps["input_tokens"].tolist() == [1100, 1420, 1740]
    assert steps["repeated_tokens"].tolist() == [0, 1120, 1440]


def test_the_context_limit_names_the_turn():
    with pytest.raises(ValueError, match="turn 4 needs a context of 400 tokens"):
        conversation_tokens(10, 50, 50, max_context_tokens=399)


@pytest.mark.parametrize("turns", [0, -1, 2.5, 10**9])
def test_turns_are_counted(turns):
    with pytest.raises(ValueError, match="turns"):
        conversation_tokens(turns, 1, 1)


def test_caching_changes_the_rate_not_the_count():
    turns = conversation_tokens(20, 60, 250, 500)
    listed = price("gpt-5.6-terra", "OpenAI")
    without, with_cache = (turns_bill(turns, listed, caching=c) for c in (False, True))
    assert with_cache["total_usd"].iloc[-1] < without["total_usd"].iloc[-1]
    assert without["total_usd"].iloc[-1] == pytest.approx(
        token_bill(
            listed,
            input_tokens=turns["input_tokens"].sum(),
            output_tokens=turns["output_tokens"].sum(),
        ).total_usd
    )


def test_writing_a_cache_that_is_never_read_costs_more():
    once = conversation_tokens(1, 1000, 10)
    listed = price("claude-sonnet-4-6", "Anthropic")
    assert turns_bill(once, listed)["usd"].sum() > turns_bill(once, listed, False)["usd"].sum()


# -- long prompts, services, cache writes ----------------------------------------------------------
def test_a_long_prompt_is_billed_whole_at_the_upper_rates():
    gemini = price("gemini-3.1-pro-preview")
    for tokens, usd in ((200_000, 0.40), (200_001, 0.800004), (250_000, 1.00)):
        bill = token_bill(gemini, input_tokens=tokens, output_tokens=0)
        assert bill.total_usd == pytest.approx(usd)
    many = token_bill(gemini, input_tokens=250_000, output_tokens=0, n_requests=2)
    assert many.total_usd == pytest.approx(0.50)
    long = token_bill(gemini, input_tokens=250_000, output_tokens=1000, cache_read_tokens=100_000)
    assert long.total_usd == pytest.approx(0.15 * 4 + 0.1 * 0.4 + 0.001 * 18)


def test_services_have_prices_of_their_own():
    terra = price("gpt-5.6-terra", "OpenAI")
    assert terra.services == ("standard", "batch", "flex", "priority")
    tokens = {"input_tokens": 1e5, "output_tokens": 1e4}
    usd = {s: token_bill(terra, **tokens, service=s).total_usd for s in terra.services}
    assert usd == pytest.approx({"standard": 0.32, "batch": 0.16, "flex": 0.16, "priority": 0.64})
    assert token_bill(terra, **tokens, batch=True).total_usd == usd["batch"]
    for words, match in (
        ({"service": "fast"}, "unknown service 'fast'"),
        ({"service": "flex", "batch": True}, "batch = True contradicts service = 'flex'"),
        ({"n_requests": 0}, "n_requests = 0"),
    ):
        with pytest.raises(ValueError, match=match):
            token_bill(terra, **tokens, **words)
    with pytest.raises(ValueError, match="m lists no price of flex; it lists standard, batch"):
        token_bill(LIST, **tokens, service="flex")


def test_cache_writes_that_last_an_hour_have_their_own_rate():
    sonnet = price("claude-sonnet-4-5", "Anthropic")
    tokens = {"input_tokens": 100_000, "output_tokens": 0}
    parts = {"cache_read_tokens": 50_000, "cache_write_tokens": 20_000}
    bill = token_bill(sonnet, **tokens, **parts, cache_write_1h_tokens=30_000)
    assert bill.total_usd == pytest.approx((50 * 0.3 + 20 * 3.75 + 30 * 6) / 1000)
    half = token_bill(sonnet, **tokens, **parts, cache_write_1h_tokens=30_000, service="batch")
    assert half.total_usd == pytest.approx(bill.total_usd / 2)
    with pytest.raises(ValueError, match="m lists no price of cache writes that last an hour"):
        token_bill(LIST, **tokens, cache_write_1h_tokens=1)
    free = token_bill(PLAIN, **tokens, cache_write_1h_tokens=1000)  # writes are not charged apart
    assert free.total_usd == pytest.approx(0.2)
