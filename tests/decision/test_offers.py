"""Which listings are a model, and whose price counts."""

import datetime

import pytest

from econ.catalog import table
from econ.catalog.prices import prices_now_json, rows_of
from econ.decision import offers
from econ.decision.offers import api_offers, sold_as
from tests.decision.cases import DAY, priced


@pytest.mark.parametrize(
    ("listing", "name"),
    [
        ("qwen.qwen3-32b-v1:0", "qwen3-32b"),
        ("meta.llama3-1-70b-instruct-v1:0", "llama-3.1-70b"),
        ("accounts/fireworks/models/llama-v3p1-70b-instruct", "meta-llama/Llama-3.1-70B-Instruct"),
        ("@cf/meta/llama-3.3-70b-instruct-fp8-fast", "llama-3.3-70b"),
        ("openai.gpt-oss-120b-1:0", "gpt-oss-120b"),
        ("moonshotai/Kimi-K2-Instruct-0905", "kimi-k2"),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4@20250514"),
        ("claude-sonnet-4", "claude-sonnet-4@20250514"),
        ("gpt-4o", "gpt-4o-2024-11-20"),
        ("gemini-2.0-flash-001", "gemini-2.0-flash"),
        ("llama-4-maverick", "meta-llama/Llama-4-Maverick-17B-128E-Instruct"),
    ],
)
def test_a_listing_in_its_dress_is_the_model(listing, name):
    assert sold_as(listing).serves(sold_as(name))


@pytest.mark.parametrize(
    ("listing", "name"),
    [
        ("qwen/qwen3-vl-32b-instruct", "qwen3-32b"),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507", "Qwen/Qwen3-235B-A22B-Thinking-2507"),
        ("Qwen/Qwen3-235B-A22B-Thinking-2507", "qwen3-235b-a22b"),
        ("deepseek-r1-distill-llama-70b", "deepseek-r1"),
        ("llama-3.3-70b", "llama-3.1-70b"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-11-20"),
        ("llama-4-scout", "llama-4-maverick"),
        ("qwen3-30b-a3b", "qwen3-32b"),
        ("gpt-4", "gpt-4-turbo"),
        ("x-ai/grok-4-fast", "grok-4"),
        ("gemini-2.0-flash-lite-001", "gemini-2.0-flash"),
    ],
)
def test_another_model_or_variant_is_not(listing, name):
    assert not sold_as(listing).serves(sold_as(name))


def test_a_thinking_variant_is_priced_as_itself():
    thinking = {o.price.model for o in api_offers("Qwen/Qwen3-235B-A22B-Thinking-2507", on=DAY)}
    plain = {o.price.model for o in api_offers("qwen3-235b-a22b", on=DAY)}
    assert thinking
    assert all("hinking" in name for name in thinking)
    assert not thinking & plain


def test_a_quote_replaces_the_lists_of_its_seller():
    offers = api_offers("qwen3-32b", own=[priced("groq")], on=DAY)
    assert [o.price.input_usd_per_mtok for o in offers if "roq," in o.name] == [0.1]


def test_a_seller_under_two_spellings_is_one():
    names = [o.price.provider for o in api_offers("llama-3.3-70b", on=DAY)]
    assert not {"Together", "Together AI"} <= set(names)


def test_the_row_with_the_price_of_cached_input_is_on_the_menu():
    offers = {o.price.provider: o.price for o in api_offers("Qwen/Qwen3-32B", on=DAY)}
    nebius = offers["Nebius"]
    usd = 20_000 * (0.05 * nebius.input_usd_per_mtok + 0.95 * nebius.cached_input_usd_per_mtok)
    usd += 400 * nebius.output_usd_per_mtok
    assert usd * 86_400 / 1e6 == pytest.approx(35.4, abs=0.1)
    assert "HuggingFace (nebius)" in offers  # a router of its own
    late = datetime.date(2027, 4, 1)
    assert "Nebius" not in {o.price.provider for o in api_offers("qwen3-32b", on=late)}
    assert api_offers("no-such-model", on=DAY) == []


@pytest.mark.parametrize(
    ("name", "seller", "usd"),
    [
        ("gpt-4-turbo", "OpenAI", (10.0, 30.0)),
        ("grok-4", "X AI", (3.0, 15.0)),
        ("gemini-2.0-flash-lite", "Google", (0.075, 0.3)),
        ("gemini-2.5-flash", "OpenRouter", (0.3, 2.5)),  # not what its preview cost
    ],
)
def test_a_closed_model_is_its_own_name_and_no_faster_or_lighter_one(name, seller, usd):
    [offer] = [o for o in api_offers(name, on=DAY) if o.name == f"{seller}, standard"]
    assert (offer.price.input_usd_per_mtok, offer.price.output_usd_per_mtok) == usd


def test_a_list_that_a_build_saved_has_the_day_of_its_release(monkeypatch):
    moment = datetime.datetime.combine(DAY, datetime.time(12), datetime.UTC)
    saved, read_on = prices_now_json(moment), table("sources").loc["genai-prices", "accessed"]
    monkeypatch.setattr(offers, "prices_of_day", lambda day, named: rows_of(saved, named))
    prices = offers._today.__wrapped__(sold_as("Qwen/Qwen3-32B"), DAY)
    assert prices[0].source.endswith(f", saved {DAY}")
    assert {price.in_force_since for price in prices} == {read_on}
    assert read_on < DAY.isoformat()
    # of another release the day of the build is known, and neither is after the day asked for
    assert offers._read_on("genai-prices 9.9.9, saved 2026-11-20", DAY) == "2026-11-20"
    assert offers._read_on("genai-prices 9.9.9", DAY) == DAY.isoformat()
