"""Lesson 01, what is a token?: words, pictures, jobs and conversations by tokens and USD.

>>> jobs_frame("gpt-5.6-terra", "OpenAI")["job"].nunique()
4
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from econ.catalog import price, table
from econ.catalog.units import KILO, MINUTE_S, MTOK, usd_per_mtok_from_usd_per_token
from econ.charts import Drawing, Panel, choice, figure, panel, slider
from econ.latency import predict
from econ.scenario import Scenario
from econ.tokens.bill import agent_loop_tokens, conversation_tokens, token_bill, turns_bill
from econ.tokens.count import audio_tokens, count_tokens, image_tokens, schemes_frame, video_tokens
from econ.tokens.sessions import Sessions
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
SELLERS = {
    "gpt-5.6-terra": "OpenAI",
    "claude-sonnet-4-6": "Anthropic",
    "gemini-3.5-flash": "Google",
    "mistral-medium-latest": "Mistral",
}
# what a reader will look for first among the measured tasks
NAMED_TASKS = {
    "gpt-oss-120b (high)": "gpt-oss-120b",
    "gemini-2.5-flash-preview-05-20 (no think)": "gemini-2.5-flash",
    "DeepSeek-V3.2-Exp (Chat)": "DeepSeek-V3.2 (chat)",
    "DeepSeek R1 (0528)": "DeepSeek-R1",
    "gpt-5 (low)": "gpt-5 (low)",
    "gpt-5 (high)": "gpt-5 (high)",
    "claude-opus-4-20250514 (no think)": "claude-opus-4",
    "grok-4 (high)": "grok-4",
    "o3-pro (high)": "o3-pro",
}
SPOKEN_WORDS, WORDS_PER_TOKEN = 150, 0.75  # of a minute; the usual rule of thumb for English
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


def words_frame(
    languages: tuple[str, ...] = ("English", "Spanish", "Chinese", "Arabic", "Hindi", "Amharic"),
) -> pd.DataFrame:
    """USD for writing what takes a thousand words in English, by language and price list.

    Columns: ``language``, ``tokens``, and a price list's output price for them (as its model is
    called). All counts are Tekken's: a seller's own tokenizer may differ from it.
    """
    rows = table("parallel_text").set_index("name")["text"]
    n_words = len(rows["English"].split())
    bill_rows = []
    for language in languages:
        n_tokens = count_tokens(rows[language], "tekken") / n_words * KILO
        usd = [
            price(model, provider).output_usd_per_mtok * n_tokens / MTOK
            for model, provider in SELLERS.items()
        ]
        bill_rows.append((language, n_tokens, *usd))
    return pd.DataFrame(bill_rows, columns=["language", "tokens", *SELLERS])


def media_frame() -> pd.DataFrame:
    """A screenshot and a minute of speech and film: scheme, tokens, usd, prefill_s.

    USD at the input price of the scheme's own provider; ``prefill_s`` is the time that the course's
    server takes to read as many tokens of text, beyond the time of a prompt of one token.
    """
    minute, size = MINUTE_S, (1920, 1080)
    sizes = {
        ("screenshot", "openai-tile"): image_tokens(*size, "openai-tile"),
        ("screenshot", "claude-area"): image_tokens(*size, "claude-area"),
        ("screenshot", "gemini-tile"): image_tokens(*size, "gemini-tile"),
        ("screenshot", "pixtral"): image_tokens(*size, "pixtral"),
        ("a minute of speech", "gemini-audio"): audio_tokens(minute, "gemini-audio"),
        ("a minute of speech", "voxtral"): audio_tokens(minute, "voxtral"),
        ("a minute of film", "gemini-video"): video_tokens(minute, "gemini-video"),
        ("the minute as text", "tekken"): round(SPOKEN_WORDS / WORDS_PER_TOKEN),
    }
    rules = schemes_frame()["provider"].to_dict() | {"tekken": "Mistral"}
    models = {provider: model for model, provider in SELLERS.items()}
    served = Scenario.default()
    rows = []
    for (what, scheme), n_tokens in sizes.items():
        seller = rules[scheme]
        usd = price(models[seller], seller).input_usd_per_mtok * n_tokens / MTOK
        rows.append((what, scheme, n_tokens, usd, _reading_s(served, n_tokens)))
    return pd.DataFrame(rows, columns=["what", "scheme", "tokens", "usd", "prefill_s"])


def _reading_s(s: Scenario, n_tokens: float) -> float:
    """Time to the first token that the length of a prompt adds, for one user."""
    one_s, all_s = (predict(s.with_(input_tokens=n), concurrency=1).ttft_s for n in (1, n_tokens))
    return float(all_s - one_s)


def agent_session() -> Sessions:
    """The agent of this lesson as a session, as lesson 13 simulates it: forty turns.

    >>> agent_session().n_turns
    40
    """
    return Sessions.from_turns(agent_loop_tokens(AGENT_STEPS, **AGENT))


def jobs_frame(model: str, provider: str | None = None) -> pd.DataFrame:
    """Four jobs on one price list, split by what is billed: job, part, tokens, usd, share.

    A chat turn, an answer over long documents with the trace's cache share, a hard question with
    reasoning (mean lengths of the named workloads), and an agent's forty steps with caching.
    """
    listed = price(model, provider)
    chat, rag, hard = (workload(id) for id in ("chat", "rag", "reasoning"))
    agent = agent_session()
    sent, cached = agent.input_tokens.sum(), agent.known_tokens().sum()
    writes = (sent - cached) * (listed.cache_write_usd_per_mtok is not None)
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
            "input_tokens": sent,
            "cache_read_tokens": cached,
            "cache_write_tokens": writes,
            "output_tokens": agent.output_tokens.sum(),
            "n_requests": agent.n_turns,
        },
    }
    bills = []
    for job, tokens in jobs.items():
        bill = token_bill(listed, **tokens)
        bills.append(bill.frame().assign(job=job, blended_usd_per_mtok=bill.blended_usd_per_mtok))
    frame = pd.concat(bills, ignore_index=True)
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
    turn, first_usd = tokens["turn"].to_numpy(), ways["history re-sent"]["usd"].iloc[0]
    usd = {name: bill["total_usd"] for name, bill in ways.items()} | {"if linear": first_usd * turn}
    return pd.DataFrame(
        {
            "turn": np.tile(turn, len(usd)),
            "total_usd": np.concatenate(list(usd.values())),
            "way": np.repeat(list(usd), len(turn)),
        }
    )


def growth_chart(frame: pd.DataFrame) -> Drawing:
    """`growth_frame`: a conversation's running bill."""
    turns = frame["turn"].max()
    last = frame[frame["turn"] == turns].set_index("way")["total_usd"]
    return figure(
        frame,
        "turn",
        "total_usd",
        by="way",
        legend=True,
        y_title="Bill so far (USD)",
        finding="How does a conversation's bill grow?",
        says=f"After {turns} turns the conversation has cost "
        f"${last['history re-sent']:.4f}; with prompt caching "
        f"${last['with prompt caching']:.4f}; "
        f"{last['history re-sent'] / last['if linear']:.1f} times what a straight line from the "
        "first turn predicts.",
    )


def growth_panel() -> Panel:
    """A conversation's bill by turns, lengths and price list."""

    def growth(turns: int, user: int, assistant: int, model: str) -> pd.DataFrame:
        return growth_frame(turns, user, assistant, model=model, provider=SELLERS[model])

    return panel(
        growth,
        growth_chart,
        turns=slider(2, 100, value=40, label="Turns"),
        user=slider(10, 2000, value=60, step=10, label="User writes (tokens)"),
        assistant=slider(10, 2000, value=250, step=10, label="Model writes (tokens)"),
        model=choice(SELLERS, label="Price list"),
        presets={f"{n} turns": {"turns": n} for n in (5, 20, 80)},
    )


def listed_frame(models: dict[str, str]) -> pd.DataFrame:
    """List prices of some models (model → provider), for a table."""
    rows = [price(model, provider) for model, provider in models.items()]
    names = ["model", "input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok"]
    frame = pd.DataFrame([{n: getattr(p, n) for n in [*names, "in_force_since"]} for p in rows])
    ratio = frame["output_usd_per_mtok"] / frame["input_usd_per_mtok"]
    return frame.assign(output_over_input=ratio)


def tasks_frame() -> pd.DataFrame:
    """A coding benchmark as run and billed: USD per million tokens against USD per solved task.

    ``usd_per_mtok`` is the bill divided by all tokens; ``usd_per_solved`` by the tasks solved;
    ``name`` is empty but for the models that a chart names.
    """
    rows = table("task_costs")
    rows = rows[rows["prompt_tokens"] > 0]
    tokens = rows["prompt_tokens"] + rows["completion_tokens"]
    solved = rows["solved_frac"] * rows["n_tasks"]
    return rows.assign(
        name=rows["model"].map(NAMED_TASKS).fillna(""),
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
    ratios = []
    for name, sentences in cut.items():
        if len(sentences) != len(english):
            continue
        pairs = zip(sentences, english, strict=True)
        each = [count_tokens(a, tokenizer) / count_tokens(b, tokenizer) for a, b in pairs]
        n_tokens = count_tokens(" ".join(sentences), tokenizer)
        ratios.append(
            (name, min(each), n_tokens / count_tokens(" ".join(english), tokenizer), max(each))
        )
    frame = pd.DataFrame(ratios, columns=["name", "low", "whole", "high"])
    return frame.sort_values("whole", ignore_index=True)
