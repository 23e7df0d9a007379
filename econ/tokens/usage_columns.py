"""Which column of a usage or cost export is what, and what the export counts under it.

Exports agree on neither names nor meanings: OpenAI's input includes what the cache served,
Anthropic's does not; a cost is in dollars here and in cents there. `form_of` says which export it
is; `columns_of_usage` finds its columns by their names, without case, spaces and marks.

>>> form_of(["start_time", "num_model_requests", "model", "input_tokens"]).name
'OpenAI usage'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from econ.tokens.trace_columns import folded, names_of, surest

TOKEN_KINDS = ("fresh", "input", "read", "write", "write_1h", "output", "reasoning", "audio_in",
               "audio_out")  # fmt: skip


@dataclass(frozen=True)
class Form:
    """What an export means by its numbers."""

    name: str
    provider: str = ""  # the seller, where no column says it
    input_has_cache: bool = True  # whether the input includes what was read from and written to it
    is_cost: bool = False  # money by kind of token, one kind a row
    is_single: bool = False  # one request a row
    is_cents: bool = False  # whether costs are hundredths of the currency
    takes: tuple[str, ...] = ()  # columns whose meaning differs: OpenRouter's usage is dollars


# by columns that no other has
FORMS: tuple[tuple[frozenset[str], Form], ...] = (
    (frozenset({"billedcost", "chargeperiodstart"}), Form("FOCUS", is_cost=True)),
    (frozenset({"uncachedinputtokens"}), Form("Anthropic usage", "Anthropic", False)),
    (frozenset({"usageinputtokensnocache"}), Form("Anthropic usage", "Anthropic", False)),
    (frozenset({"costusd", "tokentype"}), Form("Anthropic costs", "Anthropic", is_cost=True)),
    (frozenset({"amount", "costtype", "currency"}),
     Form("Anthropic costs", "Anthropic", is_cost=True, is_cents=True)),
    (frozenset({"amountvalue", "lineitem"}), Form("OpenAI costs", "OpenAI", is_cost=True)),
    (frozenset({"amountvalue", "amountcurrency"}), Form("OpenAI costs", "OpenAI", is_cost=True)),
    (frozenset({"nummodelrequests"}), Form("OpenAI usage", "OpenAI")),
    (frozenset({"ncontexttokenstotal"}), Form("OpenAI usage", "OpenAI")),
    (frozenset({"tokensprompt", "tokenscompletion"}),
     Form("OpenRouter activity", "OpenRouter", is_single=True)),
    (frozenset({"byokusageinference", "prompttokens", "usage"}),
     Form("OpenRouter activity", "OpenRouter", takes=("usage",))),
    (frozenset({"spend", "prompttokens", "apirequests"}), Form("LiteLLM daily spend")),
    (frozenset({"spend", "prompttokens", "successfulrequests"}), Form("LiteLLM daily spend")),
    (frozenset({"spend", "prompttokens"}), Form("LiteLLM spend log", is_single=True)),
)  # fmt: skip
PLAIN = Form("plain columns")


def form_of(names: Sequence[str]) -> Form:
    """The export that has these columns, or paths of a record."""
    have = {folded(n) for n in names}
    for columns, form in FORMS:
        if columns <= have:
            return form
    langfuse = "inputusage" in have or {"usageinput", "traceid"} <= have
    if langfuse or any(n.startswith("usagedetails") for n in have):
        daily = "countobservations" in have
        return Form("Langfuse daily metrics" if daily else "Langfuse export", is_single=not daily)
    if any("gen_ai." in n for n in names):
        return Form("OpenTelemetry spans", is_single=True)
    return PLAIN


# beginnings of names that only summaries of benchmarks have; all folded
BENCHMARK = (
    "requestthroughput",
    "outputthroughput",
    "outputtokenthroughput",
    "meanttft",
    "meantpot",
)


def columns_of_usage(
    names: Sequence[str], form: Form, stated: dict[str, str] | None = None
) -> dict[str, str]:
    """Target -> column, the surest of each; ``stated`` gives the user's own by column."""
    stated = stated or {}
    columns: dict[str, str] = {}
    for target, known in names_of("usage").items():
        own = next((n for n in names if stated.get(n) == target), None)
        if column := own or surest(names, known, stated):
            columns[target] = column
    if "usage" in form.takes:
        columns["usd"] = next(n for n in names if folded(n) == "usage")
    return columns


def is_benchmark(keys: Sequence[str]) -> bool:
    """Whether columns are those of a benchmark's summary, not of a bill.

    >>> is_benchmark(["model_id", "total_input_tokens", "output_throughput", "mean_ttft_ms"])
    True
    >>> is_benchmark(["Metric", "avg", "min", "max"]), is_benchmark(["day", "model", "tokens"])
    (True, False)
    """
    names = [folded(key) for key in keys]
    return {"metric", "avg"} <= set(names) or any(name.startswith(BENCHMARK) for name in names)
