"""The cases that notebook 01 looks at: picture sizes, four jobs on one price list, measured tasks.

>>> jobs_frame("gpt-5.6-terra", "OpenAI")["job"].nunique()
4
"""

from __future__ import annotations

import re

import pandas as pd

from econ.catalog import price, table
from econ.catalog.units import usd_per_mtok_from_usd_per_token
from econ.tokens.bill import agent_loop_tokens, conversation_tokens, token_bill, turns_bill
from econ.tokens.count import count_tokens, image_tokens, schemes_frame
from econ.tokens.workloads import workload

# the agent of the lesson: tool descriptions, a task, forty tool calls; our choice, not a fit
AGENT = {
    "system_tokens": 8_000,
    "task_tokens": 500,
    "step_output_tokens": 300,
    "tool_result_tokens": 1_500,
}
AGENT_STEPS = 40
SENTENCE_END = re.compile(r"(?<=[.।。።։])\s*")
SIDES_PX = [128, 256, 384, 512, 768, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 4096]


def images_frame(sides_px: list[int] | None = None) -> pd.DataFrame:
    """Tokens of a square picture by its side, under every image rule: scheme, side_px, tokens."""
    rules = schemes_frame()
    names = rules.index[rules["modality"] == "image"]
    rows = [
        {"scheme": name, "side_px": side, "tokens": image_tokens(side, side, name)}
        for name in names
        for side in sides_px or SIDES_PX
    ]
    return pd.DataFrame(rows)


def jobs_frame(model: str, provider: str | None = None) -> pd.DataFrame:
    """Four jobs on one price list, split by what is billed: job, part, tokens, usd, share.

    A chat turn, an answer over long documents with the trace's cache share, a hard question with
    reasoning (mean lengths of the named workloads), and an agent's forty steps with caching.
    """
    listed = price(model, provider)
    chat, rag, hard = (workload(id) for id in ("chat", "rag", "reasoning"))
    steps = agent_loop_tokens(AGENT_STEPS, **AGENT)
    cached = steps["repeated_tokens"].sum()
    writes = (steps["input_tokens"].sum() - cached) * (listed.cache_write_usd_per_mtok is not None)
    jobs = {
        "chat turn": {
            "input_tokens": chat.mean_input_tokens,
            "output_tokens": chat.mean_output_tokens,
        },
        "long documents": {
            "input_tokens": rag.mean_input_tokens,
            "cache_read_tokens": rag.mean_input_tokens * rag.cached_frac,
            "output_tokens": rag.mean_output_tokens,
        },
        "hard question": {
            "input_tokens": hard.mean_input_tokens,
            "output_tokens": hard.mean_output_tokens,
            "reasoning_tokens": hard.mean_output_tokens * hard.reasoning_frac,
        },
        f"agent, {AGENT_STEPS} steps": {
            "input_tokens": steps["input_tokens"].sum(),
            "cache_read_tokens": cached,
            "cache_write_tokens": writes,
            "output_tokens": steps["output_tokens"].sum(),
        },
    }
    made = []
    for job, tokens in jobs.items():
        bill = token_bill(listed, **tokens)
        made.append(bill.frame().assign(job=job, blended_usd_per_mtok=bill.blended_usd_per_mtok))
    frame = pd.concat(made, ignore_index=True)
    return frame.assign(share=frame["usd"] / frame.groupby("job")["usd"].transform("sum"))


def growth_frame(
    turns: int = 40,
    user_tokens: float = 60,
    assistant_tokens: float = 250,
    system_tokens: float = 500,
    *,
    model: str = "gpt-5.6-terra",
    provider: str | None = "OpenAI",
) -> pd.DataFrame:
    """A conversation's running bill, with and without caching, and as if it grew in a line.

    Columns: turn, way, total_usd. "If linear" multiplies the first turn's bill.
    """
    listed = price(model, provider)
    tokens = conversation_tokens(turns, user_tokens, assistant_tokens, system_tokens)
    ways = {
        "history re-sent": turns_bill(tokens, listed, caching=False),
        "with prompt caching": turns_bill(tokens, listed, caching=True),
    }
    plain = ways["history re-sent"]
    ways["if linear"] = plain.assign(total_usd=plain["usd"].iloc[0] * plain["turn"])
    made = [f[["turn", "total_usd"]].assign(way=name) for name, f in ways.items()]
    return pd.concat(made, ignore_index=True)


def tasks_frame() -> pd.DataFrame:
    """A coding benchmark as run and billed: USD per million tokens against USD per solved task.

    ``usd_per_mtok`` is the bill divided by all tokens; ``usd_per_solved`` by the tasks solved.
    """
    rows = table("task_costs")
    rows = rows[rows["prompt_tokens"] > 0]
    tokens = rows["prompt_tokens"] + rows["completion_tokens"]
    solved = rows["solved_frac"] * rows["n_tasks"]
    return rows.assign(
        tokens_per_task=tokens / rows["n_tasks"].astype(float),
        usd_per_mtok=usd_per_mtok_from_usd_per_token(rows["total_usd"] / tokens),
        usd_per_solved=rows["total_usd"] / solved.astype(float),
    ).reset_index(drop=True)


def spread_frame(tokenizer: str = "tekken") -> pd.DataFrame:
    """How much a language's figure hangs on the text: tokens relative to English by sentence.

    Columns: ``name``, ``low`` and ``high`` (best and worst of the sentences, each against the
    English sentence that says the same), ``whole`` (the paragraph). Only languages whose paragraph
    has as many sentences as the English one.
    """
    rows = table("parallel_text").query("group == 'language'")
    cut = {r.name: [s for s in SENTENCE_END.split(r.text) if s.strip()] for r in rows.itertuples()}
    english = cut["English"]
    made = []
    for name, sentences in cut.items():
        if len(sentences) != len(english):
            continue
        pairs = zip(sentences, english, strict=True)
        each = [count_tokens(a, tokenizer) / count_tokens(b, tokenizer) for a, b in pairs]
        whole = count_tokens(" ".join(sentences), tokenizer)
        made.append(
            (name, min(each), whole / count_tokens(" ".join(english), tokenizer), max(each))
        )
    frame = pd.DataFrame(made, columns=["name", "low", "whole", "high"])
    return frame.sort_values("whole", ignore_index=True)
