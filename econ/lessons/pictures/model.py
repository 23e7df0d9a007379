"""Pictures 2, 3, 7 and 8: a decode step, the KV cache, a layer on several accelerators, merges."""

from __future__ import annotations

import functools

import pandas as pd

from econ.catalog import accelerator, model, table
from econ.catalog.units import GB, MILLI, short
from econ.latency import predict, weight_bytes
from econ.lessons.pictures.scene import WIDTH_PX, Picture, Scene
from econ.scenario import Scenario
from econ.tokens.count import train_bpe

LEFT, RIGHT = 110, WIDTH_PX - 20
PART_COLOURS = {"weights": "blue", "kv cache": "orange", "kernels": "grey", "links": "purple",
                "host": "green", "others' prompts": "sky", "experts": "vermilion"}  # fmt: skip


# -- 2: one decode step --------------------------------------------------------------------------
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)


@functools.cache
def step_frame() -> pd.DataFrame:
    """What a step is made of: ``users``, ``part``, ``time_ms``, ``tpot_ms``."""
    rows = []
    for users in BATCHES:
        one = predict(Scenario.default(), concurrency=users)
        rows += [[users, part, time_s / MILLI, one.tpot_s / MILLI]
                 for part, time_s in one.parts_s.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=["users", "part", "time_ms", "tpot_ms"])


def step_picture() -> Picture:
    """The weights stream past the batch once, whoever sits in it."""
    frame = step_frame()
    scale = (RIGHT - LEFT) / float(frame["tpot_ms"].max())
    weights_gb = weight_bytes("llama-3.1-70b", "fp8") / GB
    frames = []
    for users, rows in frame.groupby("users"):
        scene = Scene()
        scene.text(20, 40, "weights", bold=True)
        scene.box(LEFT, 22, 250, 28, "blue", f"{weights_gb:.0f} GB")
        scene.text(LEFT + 262, 41, f"{weights_gb:.0f} GB stream past the batch, once per step →")
        scene.text(20, 84, "batch", bold=True)
        for place in range(int(users)):
            scene.box(LEFT + 18 * (place % 32), 66 + 18 * (place // 32), 14, 14, "orange",
                      "one user's token")  # fmt: skip
        scene.text(20, 172, "one step", bold=True)
        x = float(LEFT)
        for row in rows.itertuples():
            width = scale * row.time_ms
            scene.box(x, 152, width, 30, PART_COLOURS[row.part], f"{row.part} {row.time_ms:.2f} ms")
            x += width
        for place, row in enumerate(rows.itertuples()):
            x0, y0 = LEFT + 200 * (place % 3), 200 + 22 * (place // 3)
            scene.box(x0, y0, 12, 12, PART_COLOURS[row.part])
            scene.text(x0 + 18, y0 + 11, f"{row.part} {row.time_ms:.1f} ms")
        tpot_ms = rows["tpot_ms"].iloc[0]
        words = (f"{users} users: a step takes {tpot_ms:.1f} ms and writes {users} tokens, "
                 f"{tpot_ms / users:.2f} ms of the machine for each.")  # fmt: skip
        frames.append((scene.markup, words))
    return Picture("step", "What does one decode step do, and for how many users?", tuple(frames),
                   frame, 250, still=4, step_name="Users", interval_ms=900)  # fmt: skip


# -- 3: the KV cache as a wall -------------------------------------------------------------------
CACHES = {"MHA": "llama-2-13b", "GQA": "llama-3.1-70b", "MLA": "deepseek-v3",
          "window": "gpt-oss-120b"}  # fmt: skip
CONTEXTS = (1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000)


@functools.cache
def cache_frame() -> pd.DataFrame:
    """Bytes of one sequence's cache in 16 bits: ``kind``, ``model``, ``context_tokens``,
    ``kv_gb``.
    """  # fmt: skip
    rows = [[kind, id, n, float(model(id).kv_bytes(n)) / GB]
            for n in CONTEXTS for kind, id in CACHES.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=["kind", "model", "context_tokens", "kv_gb"])


def cache_picture() -> Picture:
    """One user's cache beside the memory of one accelerator, to scale, as the context grows."""
    frame = cache_frame()
    floor, top = 250.0, 50.0
    scale = (floor - top) / float(frame["kv_gb"].max())
    memory_gb = accelerator("h100-sxm").memory_bytes / GB
    frames = []
    for n, rows in frame.groupby("context_tokens"):
        scene = Scene()
        scene.line(60, floor, RIGHT, floor)
        y = floor - scale * memory_gb
        scene.line(60, y, RIGHT, y, dashed=True)
        scene.text(RIGHT, y - 6, f"all memory of one H100: {memory_gb:.0f} GB", anchor="end")
        for place, row in enumerate(rows.itertuples()):
            x, height = 90 + 155 * place, scale * row.kv_gb
            scene.box(x, floor - height, 90, height, "orange", f"{short(row.kv_gb)} GB")
            scene.text(x + 45, floor - height - 6, f"{short(row.kv_gb, 2)} GB", anchor="middle")
            scene.text(x + 45, floor + 18, row.kind, anchor="middle", bold=True)
            scene.text(x + 45, floor + 35, row.model, anchor="middle")
        scene.text(60, 24, f"one user's cache after {n:,} tokens, in 16 bits")
        parts = "; ".join(f"{r.kind} {short(r.kv_gb, 2)} GB" for r in rows.itertuples())
        frames.append((scene.markup, f"After {n:,} tokens one user's cache is: {parts}."))
    return Picture("cache", "How large does one user's KV cache grow?", tuple(frames), frame, 295,
                   step_name="Context", interval_ms=900)  # fmt: skip


# -- 7: one layer on several accelerators --------------------------------------------------------
SPLITS = (1, 2, 4, 8)
USERS = 16


@functools.cache
def split_frame() -> pd.DataFrame:
    """A step by the number of accelerators: ``kind``, ``n_gpu``, ``part``, ``time_ms``."""
    dense = Scenario.default()
    experts = Scenario.of("gpt-oss-120b", "h100-sxm", n_gpu=8, tp=8, ep=8, precision="fp8",
                          input_tokens=1000, output_tokens=200)  # fmt: skip
    cases = [("tensor parallel", n, dense.with_(n_gpu=n, tp=n)) for n in SPLITS]
    cases += [("experts apart", n, experts.with_(n_gpu=n, tp=n, ep=n)) for n in SPLITS[1:]]
    rows = [[kind, n, part, time_s / MILLI] for kind, n, case in cases
            for part, time_s in predict(case, concurrency=USERS).parts_s.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=["kind", "n_gpu", "part", "time_ms"])


def split_picture() -> Picture:
    """The weights are cut, and what the pieces have to tell each other is not."""
    frame = split_frame()
    totals = frame.groupby(["kind", "n_gpu"])["time_ms"].sum()
    scale = (RIGHT - LEFT - 30) / float(totals.max())
    names = {"tensor parallel": "all-reduce", "experts apart": "all-to-all"}
    frames = []
    for n in SPLITS:
        scene, sentences = Scene(), []
        for top, (kind, link) in zip((30, 160), names.items(), strict=True):
            rows = frame[(frame["kind"] == kind) & (frame["n_gpu"] == n)]
            scene.text(20, top + 20, kind.split()[0], bold=True)
            scene.text(20, top + 38, kind.split()[1], bold=True)
            if rows.empty:
                scene.text(LEFT, top + 30, "does not fit on one accelerator")
                continue
            width = 420 / n
            for part in range(n):
                scene.box(LEFT + part * width, top, width - 6, 26, "blue", f"1/{n} of the weights")
            links = float(rows.set_index("part")["time_ms"].get("links", 0.0))
            if n > 1:
                scene.line(LEFT, top + 36, LEFT + 414, top + 36)
                scene.text(LEFT + 424, top + 41, f"{link}: {links:.2f} ms")
            x = float(LEFT)
            for row in rows.itertuples():
                scene.box(x, top + 52, scale * row.time_ms, 22, PART_COLOURS[row.part],
                          f"{row.part} {row.time_ms:.2f} ms")  # fmt: skip
                x += scale * row.time_ms
            total = float(rows["time_ms"].sum())
            weights = float(rows.set_index("part")["time_ms"]["weights"])
            words = f"one step: {total:.1f} ms, of it weights {weights:.1f}, links {links:.2f}"
            scene.text(LEFT, top + 92, words)
            sentences.append(f"{kind} over {n}: {total:.1f} ms a step, {links:.2f} ms of it links")
        frames.append((scene.markup, f"{'; '.join(sentences)}.".capitalize()))
    return Picture("split", "What do several accelerators share, and what must they tell each "
                   "other?", tuple(frames), frame, 270, still=2, step_name="Accelerators",
                   interval_ms=1200)  # fmt: skip


# -- 8: merges, one at a time --------------------------------------------------------------------
N_MERGES = 40


@functools.cache
def merges_frame() -> pd.DataFrame:
    """A growing vocabulary: ``merges``, ``learned`` (the newest piece), ``pieces``, ``tokens``."""
    english = str(table("parallel_text").loc["en", "text"])
    sample = english[:60].rsplit(" ", 1)[0]
    learned = train_bpe(english, vocab_size=len(set(english)) + N_MERGES + 1).merges
    rows = []
    pieces = list(sample)
    rows.append([0, "", "|".join(pieces), len(pieces)])
    for number, merge in enumerate(learned[:N_MERGES], 1):
        pieces = merged(pieces, merge)
        rows.append([number, merge.replace(" ", ""), "|".join(pieces), len(pieces)])
    return pd.DataFrame(rows, columns=["merges", "learned", "pieces", "tokens"])


def merged(pieces: list[str], merge: str) -> list[str]:
    """Pieces after one merge, which names its two halves with a blank between.

    >>> merged(["t", "h", "e", "t"], "t h")
    ['th', 'e', 't']
    """
    joined = merge.replace(" ", "", 1)
    out: list[str] = []
    for piece in pieces:
        if out and out[-1] + piece == joined:
            out[-1] = joined
        else:
            out.append(piece)
    return out


def merges_picture() -> Picture:
    """Byte-pair encoding joins the most frequent pair of neighbours, again and again."""
    frame = merges_frame()
    frames = []
    for row in frame.itertuples():
        scene = Scene()
        x, y = 20.0, 40.0
        for piece in row.pieces.split("|"):
            width = 9.0 * len(piece) + 8
            if x + width > RIGHT:
                x, y = 20.0, y + 40
            color = "vermilion" if row.learned and piece == row.learned else "grey"
            scene.box(x, y, width, 28, color, outline=True)
            scene.text(x + width / 2, y + 19, piece.replace(" ", "␣"), anchor="middle")
            x += width + 4
        words = f"After {row.merges} merges this line of text is {row.tokens} tokens"
        words += f"; the newest piece is “{row.learned}”." if row.learned else "."
        scene.text(20, 190, words)
        frames.append((scene.markup, words))
    return Picture("merges", "How does a vocabulary come about?", tuple(frames),
                   frame[["merges", "learned", "tokens"]], 210, step_name="Merges")  # fmt: skip
