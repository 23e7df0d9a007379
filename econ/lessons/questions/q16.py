"""Questions of lesson 16: which claims hold?"""

from __future__ import annotations

from econ.catalog import accelerator, table
from econ.catalog.units import GIGA, HOURS_PER_YEAR, KILO
from econ.ledger import claim, claims_frame
from econ.lessons.question import Wrong, question

N_CLAIMS = len(table("claims"))


question(
    "16-wrong",
    f"There are {N_CLAIMS} claims in this lab, from vendors, papers, forums and course pages. Some "
    "fail on their own terms: if you combine their own figures, you get another number. How "
    f"**many** of the {N_CLAIMS} fail?",
    unit="claims",
    slider=(0, N_CLAIMS),
    limits=(0, N_CLAIMS),
    tolerance_frac=0.15,
    wrong=[Wrong((0, N_CLAIMS // 4), "A printed number looks as if somebody had checked it. Most "
                 "of these fail by arithmetic alone.")],
    because="Most need no model of a server: you check what is divided by what.",
    truth=lambda q: float((claims_frame()["verdict"] == "wrong").sum()),
)  # fmt: skip


question(
    "16-true",
    "Which of these seven statements can be **right**?",
    options={
        "110": "One H100 writes 110 tokens per second to one user of a 70B model in 16 bits.",
        "30": "A GB200 is 30 times as fast as the machine before it, GPU for GPU.",
        "93": "A new architecture alone saves 93.3 % of the KV cache.",
        "020": "$0.20 per million tokens is the cost of a whole service.",
        "172": "The slow setting took 172 times the compute of the fast one.",
        "a3": "Every row of a printed table of a famous paper can be recomputed.",
        "024": "A median prompt takes 0.24 Wh, everything included.",
    },
    wrong=[
        Wrong("110", lambda q: "The memory's bandwidth allows "
              f"{claim('h100-110').recomputed:.0f}, and the weights do not fit.",
              "bandwidth-ignored"),
        Wrong("30", "That compares a rack of 72 GPUs with a server of 8. Divide each by its GPUs.",
              "thirty-times"),
        Wrong("93", "That figure needs a cache of 6 bits too. The architecture alone saves less.",
              "kv-saved-by-design"),
        Wrong("020", "It counts the decode nodes only. The nodes that read the prompts are paid "
              "as well.", "decode-nodes-only"),
        Wrong("172", lambda q: "The tokens and tasks in its public rows give "
              f"{claim('o3-172').recomputed:.0f} times.", "factor-172"),
        Wrong("a3", lambda q: "One row of Chinchilla's Table A3 is off by a power of ten: "
              f"{claim('chinchilla-175b').recomputed:.3g} FLOP, printed as "
              f"{claim('chinchilla-175b').claimed:.3g}.", "table-a3"),
    ],
    because="It states its boundary and its date, and its parts add up.",
    truth=lambda q: "024",
)  # fmt: skip


BYTES = 405 * GIGA


def _cards(tokens_per_s: float) -> float:
    return tokens_per_s * BYTES / accelerator("h100-sxm").memory_bandwidth_bytes_per_s


question(
    "16-1",
    "How many H100 SXM **accelerators** together have the bandwidth to read the 405 GB of Llama "
    "3.1 405B in 8 bit **{tokens_per_s}** times a second? (A comment said 200 for 969 times.) One "
    "has 3.35 TB/s.",
    unit="accelerators",
    inputs={"tokens_per_s": (969, 500, 700)},
    whole=True,
    tolerance_frac=0.002,
    wrong=[
        Wrong(lambda q: 2 * _cards(q.tokens_per_s), "That reads 16 bits per weight. In 8 bit it is "
              "one byte."),
        Wrong(lambda q: 8 * _cards(q.tokens_per_s), "You took bits for bytes."),
        Wrong(lambda q: _cards(q.tokens_per_s) * 3.35 / 2, "That is the bandwidth of another card. "
              "This one has 3.35 TB/s."),
    ],
    hints=("How many bytes per second have to be read in all?",
           "Times per second × 405 GB ÷ 3.35 TB/s."),
    work=lambda q: f"{q.tokens_per_s} × 405 GB ÷ 3.35 TB/s = {_cards(q.tokens_per_s):.1f}.",
    truth=lambda q: _cards(q.tokens_per_s),
)  # fmt: skip


POWER_KW, HOUR_USD = 1.4, 2.0


question(
    "16-2",
    "A course page says that electricity is about 60 % of the cost of a training run. Which "
    "**share** (0 to 1) is it if each GPU draws 1.4 kW, everything included, electricity costs "
    "**{usd_per_kwh} USD** per kWh, and a GPU-hour 2 USD?",
    unit="share",
    inputs={"usd_per_kwh": (0.08, 0.12, 0.06)},
    wrong=[
        Wrong(lambda q: POWER_KW * q.usd_per_kwh, "Those are USD per GPU-hour. Divide by what the "
              "hour costs."),
        Wrong(0.6, "That is the page's claim. Its own figures give another number.",
              "power-is-most"),
        Wrong(lambda q: q.usd_per_kwh / HOUR_USD, "The kilowatts are missing."),
    ],
    hints=("What does the electricity of one GPU-hour cost?", "1.4 kW × USD per kWh ÷ 2 USD."),
    work=lambda q: f"1.4 × {q.usd_per_kwh} ÷ 2 = {POWER_KW * q.usd_per_kwh / HOUR_USD:.1%}.",
    truth=lambda q: float(POWER_KW * q.usd_per_kwh / HOUR_USD),
)  # fmt: skip


YEARS, GPUS = 3, 8


def _per_hour(total_kusd: float, n_gpu: float = GPUS, years: float = YEARS) -> float:
    return KILO * total_kusd / (n_gpu * years * HOURS_PER_YEAR)


question(
    "16-3",
    "A page says that eight owned H100 cost **{total_kusd},000 USD** or more over three years, and "
    "1.20 USD per GPU-hour. What is the lowest price in **USD per GPU-hour** that this total "
    "allows, if every hour of the three years counts?",
    unit="USD per GPU-hour",
    inputs={"total_kusd": (450, 400, 500)},
    wrong=[
        Wrong(lambda q: _per_hour(q.total_kusd, n_gpu=1), "That is the price of all eight "
              "together. Divide by the GPUs."),
        Wrong(lambda q: _per_hour(q.total_kusd, years=1), "That is one year. The total is for "
              "three."),
        Wrong(1.2, "That is the page's figure. Its own total gives another one."),
    ],
    hints=("How many GPU-hours are in three years?", "Total ÷ (8 × 3 × 8,760)."),
    work=lambda q: f"{q.total_kusd},000 ÷ (8 × 3 × 8,760) = {_per_hour(q.total_kusd):.2f} USD per "
    "GPU-hour.",
    truth=lambda q: _per_hour(q.total_kusd),
)  # fmt: skip
