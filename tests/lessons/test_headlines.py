"""Headlines of notebooks 09, 10, 16 and A1: each fails if the rows under it change sign.

A headline is the title of a chart, a computed sentence or a takeaway. `HEADLINES` holds the words
of each as committed (strict nbval keeps those equal to what the rows give), and numbers that have
to rise if its words are true. A headline that stands in no row fails as well.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from econ.ledger import claims_frame, ledger_frame
from econ.lessons import a1_figures, l09_scaling, l10_trends, l16_claims

BOOKS = Path(__file__).resolve().parents[2] / "notebooks"
STEMS = {"09": "09_scaling_laws", "10": "10_cost_trends", "16": "16_claims_lab",
         "A1": "A1_published_figures"}  # fmt: skip
NO_HEADLINE = {"setup", "picture", "predict", "reveal", "ask", "exercise", "solution"}
EMPTY = "No verdicts yet."  # of a learner who gave none
N = r"\D*?(-?[\d.,]*\d(?:e[+-]\d+)?)"  # the next number of a sentence


def less(*numbers: float) -> tuple[float, float]:
    """Rises if the first of each pair is the smaller: two numbers a comparison."""
    return max(a / b for a, b in zip(numbers[::2], numbers[1::2], strict=True)), 1


def near(ours: float, stated: float) -> tuple[float, float, float]:
    """Rises if both agree to 4 %, which covers what the sentence rounds away."""
    return 0.96 * ours, stated, 1.04 * ours


def faster() -> tuple[float, float]:
    """Levels that fell faster in 2026 than before, and all levels halved."""
    rates = l10_trends.rates_frame().pivot(index="level_frac", columns="span",
                                           values="fall_per_year")  # fmt: skip
    return float((rates["in 2026"] >= rates["since it could be bought"]).sum()), len(rates) / 2


def phases(*_: float) -> tuple[float, ...]:
    """The pace of one level from its last phase to its first."""
    pace = l10_trends.phases_frame().set_index("span")["fall_per_year"]
    spans = ["since the last record", "the year after", "then", "first four months"]
    return tuple(pace[spans])


Rising = Callable[..., tuple[float, ...]]
HEADLINES: list[tuple[str, str, Rising]] = [
    # -- 09: training, reward, attempts, thought ---------------------------------------------------
    ("09", rf"That is{N} FLOP.*?\${N} per H100.*?Llama 3.1 405B.*?costs \${N}, and{N} million",
     lambda flop, _, each, usd: near(flop * each / 1e6, usd)),
    ("09", rf"Five numbers describe{N} runs to{N} %.*?worst one to{N} %",
     lambda _, median, worst: (median, 2, 10, worst)),
    ("09", rf"Resamples of one fit recommend{N} to{N}", lambda low, high: (50 * low, high)),
    ("09", rf"The median is{N} times the law's until 2022,{N} times since",
     lambda early, late: (early, 1, late)),
    ("09", rf"InstructGPT's post-training took{N}%.*?R1's{N}%.*?slide,{N}%",
     lambda first, middle, last: (first, middle, 10, last)),
    ("09", rf"Half of the gain{N} GPU-hours, 95 %{N}, and little comes after.*?to{N}: 8",
     lambda half, most, drawn: (half, most, drawn)),
    ("09", rf"40 to 20 % at the start, after{N} to{N} GPU-hours",
     lambda first, last: (5_000, first, last, 100_000)),  # as the prediction about it says
    ("09", rf"Cheapest per right answer: small model, distilled, at{N}% of the next.*?retrieval{N}"
     rf" to{N}; .*?reranking{N} to{N};.*?distilled{N} to{N}",
     lambda percent, plain, _, ranked, __, low, high: (low, high, plain, ranked)),
    ("09", rf"open reranker takes{N}%.*?alone costs{N} times.*?costs{N} times as much with rer",
     lambda share, seller, ranked: (1, *sorted((seller, ranked)), share)),
    ("09", rf"reranking, and comes{N}% to{N}% of the time instead of{N}% to{N}%. The ranges over",
     lambda low, high, plain_low, plain_high: (plain_low, low, plain_high, high)),
    ("09", rf"Measured:{N} % at 1;{N} % at 10;{N} % at 100;{N} % at 1,000;{N} % at 10,000",
     lambda *percent: percent),
    ("09", rf"{N} % at 10,000. At 10,000 the law of difficulty gives{N} %, problems all alike{N} %",
     lambda measured, spread, alike: (abs(measured - spread), alike - measured)),
    ("09", rf"difficulty is off by{N} points in the median and{N} at worst;.*?up to{N} points too",
     lambda median, worst, alike: (median, worst, alike / 2)),
    ("09", rf"first right\s+answer, you solve as many as{N} times", lambda more: (1, more)),
    ("09", rf"unit tests,{N} attempts bring{N}% right.*?costs{N} times an attempt, so{N}%.*?at{N}%",
     lambda _, tests, more, share, judge: less(1, more, 50, share, judge, tests)),
    ("09", rf"right for{N} cents each.*?right\s+answer costs \${N}",
     lambda tests, person: (tests / 100, person / 1000)),
    ("09", rf"more right answer at full effort costs about{N} times", lambda more: (1, more)),
    ("09", rf"score rises by{N} to{N} points.*?cost rises{N} to{N}-fold.*?moves more: \${N} per "
     rf"thousand buys{N} to{N} %",
     lambda _, most, least, __, ___, low, high: less(1, least, most, high - low)),
    ("09", rf"the more problems, the larger.*?10 thousand{N}M.*?1 million{N}M.*?100 million{N}B.*?"
     rf"10 billion{N}B", lambda a, b, c, d: (a, b, 1e3 * c, 1e3 * d)),
    ("09", rf"With the vote a right answer costs \${N}; with the judge \${N}",
     lambda vote, judge: (vote, judge)),
    ("09", rf"pass training after.*?billion questions:{N} weeks.*?a day,{N} at a",
     lambda slow, fast: (fast, slow)),
    ("09", rf"Makers train on{N} times.*?attempts solve{N} %.*?judge ends at{N}% and is{N}% of",
     lambda tokens, solved, judge, share: less(1, tokens, solved, 100, judge, 100, 50, share)),
    # -- 10: prices of tokens, rents, forecasts ----------------------------------------------------
    ("10", rf"a factor of{N} in{N} months:{N} times a year.*?In{N} months it would be{N}\.",
     lambda fall, months, rate, _, told: (*near(fall ** (12 / months), rate), told)),
    ("10", rf"half the cost after{N} years.*?twice as much after{N} years", lambda a, b: (a, b)),
    ("10", rf"fell{N} times a year, with a 90 % interval of{N} to{N}",
     lambda rate, low, high: (low, rate, high)),
    ("10", rf"One level of quality fell from{N} to{N} USD, ever more slowly",
     lambda first, last: (last, first)),
    ("10", r"ever more slowly", phases),
    ("10", rf"fell{N}-fold, or{N} times\s+a year; over all four years they fell{N} times",
     lambda _, headline, whole: (1, whole, headline)),
    ("10", rf"each fell in steps.*?GPT-3.5's level{N} to{N} USD; GPT-4o's{N} to{N} USD; o1's{N} to"
     rf"{N} USD; GPT-5's{N} to{N} USD",
     lambda *ends: less(*[end for pair in zip(ends[1::2], ends[::2], strict=True)
                          for end in pair])),
    ("10", rf"rests on{N} scored models at first and{N} at.*?rose from{N}% to{N}%.*?rose from{N} "
     rf"to{N} USD.*?fell{N}-fold.*?up\s+to{N}-fold", lambda *pairs: less(*pairs)),
    ("10", rf"mini's level a token became{N} times.*?answer only{N} times.*?a token fell{N}-fold "
     rf"since \S+ and an answer{N}-fold.*?solved task became{N} times.*?models{N} times",
     lambda token, answer, top, top_answer, task, same: less(answer, token, top, top_answer,
                                                             same, task)),
    ("10", rf"In 2026 the levels fell{N} to{N} times a year", lambda low, high: (1, low, high)),
    ("10", r"most of them more slowly than before", faster),
    ("10", rf"One question,{N} answers: from{N} to{N} times a year",
     lambda _, low, high: (10 * low, high)),
    ("10", rf"level on GPQA fell{N} times a year;.*?duels,{N} times;.*?this year,{N} times",
     lambda published, duels, dated: (1, dated, duels, published)),
    ("10", rf"A FLOP/s costs{N}% less each year across number formats,{N}% less within one",
     lambda across, within: (0, within, across)),
    ("10", rf"Hardware and its software explain{N}% to{N}%", lambda low, high: (0, low, high, 50)),
    ("10", rf"closed model wins{N}%\s+of duels.*?points and{N}%",
     lambda then, now: (50, now, then)),
    ("10", rf"best open model made{N} errors.*?in 2024, and{N} in",
     lambda then, now: (1, then, now)),
    ("10", rf"{N} of{N} confirmed changes were rises, up to{N}-fold",
     lambda rises, of, most: less(0.5, rises, rises, of, 1, most)),
    ("10", rf"H100 rents for{N} USD an hour, after{N} at its peak and{N} in",
     lambda now, peak, then: (then, now, peak)),
    ("10", rf"has a bend at \d+-\d+:{N}% a year before and \+{N}%", lambda a, b: (a, 0, b)),
    ("10", rf"bought in 2023 is worth{N} times", lambda more: (1, more)),
    ("10", rf"would cost{N} USD in November 2026 and{N} USD in 2028. The record low is{N} USD;"
     rf".*?costs{N} USD of rent and{N} USD",
     lambda soon, later, low, rent, power: (later, soon, power, rent / 2, low, 2 * rent)),
    ("10", rf"trend's forecast was off.*?the trend goes on{N} to{N}; nothing changes{N} to{N}\.",
     lambda first, last, same_first, same_last: less(first, same_first, same_last, last)),
    ("10", rf"off by a factor of{N} in the median, and .no change. by{N}",
     lambda trend, same: (same, trend)),
    ("10", rf"better at{N} of{N} levels, where the trend was off{N} to{N}-fold",
     lambda n, of, low, _: less(1, n, n, of, 2, low)),
    ("10", rf"three ways on.*?up{N} .*?flat{N} .*?down{N} ",
     lambda up, flat, down: (down, flat, up)),
    ("10", rf"paid{N} times as much.*?fell to{N}% of its price.*?elasticity would be{N}\.",
     lambda spend, price, elasticity: less(1, spend, price, 100, 1, -elasticity)),
    ("10", rf"in 2026 between{N} and\s+{N} times a year.*?Hardware's −30 % is{N}% within one",
     lambda low, high, within: less(1, low, low, high, -within, 30)),
    # -- 16: claims ------------------------------------------------------------------------------
    ("16", rf"{N} TB/s divided by{N} GB gives at most{N} tokens",
     lambda tb, gb, most: near(1000 * tb / gb, most)),
    ("16", rf"{N} of{N} claims fail on their own terms,{N} answer another question",
     lambda wrong, of, other: less(of - wrong - other, wrong, of - wrong - other, other)),
    ("16", rf"claims: other{N}; wrong{N}; right{N}\. The wrong ones fail by arithmetic \({N}\)",
     lambda _, wrong, __, arithmetic: (wrong / 2, arithmetic)),  # "most"
    ("16", rf"Power is the larger part in{N} of{N} cases", lambda n, of: (n, of / 2)),
    ("16", rf"power lies between{N}% and{N}%.*?quarters in{N} of{N}.*?new GPU, power is at mo{N}%",
     lambda low, high, n, of, new: less(low, high, n, of / 2, new, 75, 75, high)),
    ("16", rf"Of{N} claims, three of them our own,{N} fail.*?terms,{N} answer another question and"
     rf"{N} are right.*?more than{N} tokens",
     lambda _, wrong, other, right, most: less(right, wrong, right, other, most, 110)),
    ("16", rf"{N}% of cost is{N}% of revenue, and\D*?{N} per million tokens becomes\D*?{N} once",
     lambda cost, revenue, alone, prompts: less(revenue, cost, alone, prompts)),
    # -- A1: published figures, coverage, scoreboard -----------------------------------------------
    ("A1", rf"{N} of{N} published figures are met:{N} reproduced,{N} inside a band.*?On{N} we",
     lambda met, of, same, inside, apart: (0.9 * of, met, same + inside + apart - 0.5, of + 0.5)),
    ("A1", rf"A point for each of{N} figures.*?;{N} beyond 30%", lambda of, far: (far, of / 10)),
    ("A1", rf"Points for{N} figures around a line at zero.*?ours{N}, published{N}",
     lambda _, ours, published: (published, ours)),
    ("A1", rf"{N}% of all come out within 1%; the farthest that is met is\s+{N}% off",
     lambda near_, far: less(60, near_, far, 100)),
    ("A1", rf"Points for{N} tests by what was left out;{N} at or above.*?, {N} % of{N} runs",
     lambda of, good, worst, _: less(0.85 * of, good, good, of, worst, 90)),
    ("A1", rf"On time per token, aiconfigurator errs less in{N} of{N} groups, more in{N}",
     lambda better, _, worse: (better, worse)),
    ("A1", rf"time per token: aiconfigurator{N}% on.*?kit{N}% on the same; this kit is better",
     lambda peer, ours: (ours, peer)),
    ("A1", rf"throughput: aiconfigurator{N}% on.*?kit{N}% on the same; this kit is better",
     lambda peer, ours: (ours, peer)),
    ("A1", rf"aiconfigurator, time per token:{N} % of.*?econ, time per token:{N} %",
     lambda peer, ours: (ours, peer)),
]  # fmt: skip


@functools.cache
def outputs(notebook: str) -> tuple[str, ...]:
    """What a notebook's charts, sentences and takeaways say, as committed."""
    book = nbformat.read(BOOKS / f"{STEMS[notebook]}.ipynb", as_version=4)
    said = []
    for cell in book.cells:
        if cell.cell_type != "code" or NO_HEADLINE & set(cell.metadata.get("tags", [])):
            continue
        sentence = re.search(r"\bSay\(|\btakeaway\(", cell.source)
        for output in cell.outputs:
            data = output.get("data", {})
            if "_panel(" not in cell.source and ("image/png" in data or sentence):
                said.append(re.sub(r"\s+", " ", data.get("text/plain", "").replace("**", "")))
    return tuple(text for text in said if text != EMPTY)


def found(notebook: str, words: str) -> list[tuple[float, ...]]:
    """The numbers of each output that says so."""
    matches = [re.search(words.replace(r"\s+", " ?"), text) for text in outputs(notebook)]
    return [tuple(float(n.replace(",", "")) for n in match.groups()) for match in matches if match]


@pytest.mark.parametrize(("notebook", "words", "rising"), HEADLINES,
                         ids=lambda x: x[:40] if isinstance(x, str) else "")  # fmt: skip
def test_its_words_are_what_its_rows_say(notebook, words, rising):
    numbers = found(notebook, words)
    assert numbers, "no output says this: change the row with the sentence"
    for one in numbers:
        values = rising(*one)
        assert all(a < b for a, b in itertools.pairwise(values)), values


@pytest.mark.parametrize("notebook", STEMS)
def test_no_headline_is_left_out(notebook):
    rows = [re.compile(words.replace(r"\s+", " ?")) for name, words, _ in HEADLINES
            if name == notebook]  # fmt: skip
    assert [text for text in outputs(notebook) if not any(row.search(text) for row in rows)] == []


ledger = functools.cache(ledger_frame)


def _swapped(frame, column: str, a: str, b: str):
    return frame.assign(**{column: frame[column].replace({a: b, b: a})})


def _turned(frame):
    """Ours and the published value the other way round, ten times as far apart."""
    return frame.assign(gap=1 / (1 + 10 * frame["gap"].abs()), ours=frame["published"] * 3)


TITLES = {
    "09 dots": (l09_scaling.dots_frame, l09_scaling.dots_chart,
                lambda f: f.assign(tokens_per_param=1 / f["tokens_per_param"])),
    "16 claims": (claims_frame, l16_claims.claims_chart,
                  lambda f: _swapped(f, "verdict", "wrong", "right")),
    "16 verdicts": (claims_frame, l16_claims.verdicts_chart,
                    lambda f: _swapped(f, "asks", "arithmetic", "boundary")),
    "A1 counts": (ledger, a1_figures.counts_chart,
                  lambda f: _swapped(f, "verdict", "reproduced", "we disagree")),
    "A1 spread": (ledger, a1_figures.spread_chart, _turned),
    "A1 gaps": (ledger, a1_figures.gaps_chart, _turned),
    "A1 coverage": (a1_figures.coverage_frame, a1_figures.coverage_chart,
                    lambda f: f.assign(percent=100 - f["percent"])),
}  # fmt: skip


@pytest.mark.parametrize("name", TITLES)
def test_a_title_follows_its_rows(name):
    rows, chart, turn = TITLES[name]
    title = str(chart(rows()).title.text)
    assert title != str(chart(turn(rows())).title.text)


DATES = {"as_of", "date", "since", "end", "year"}


@pytest.mark.parametrize("notebook", STEMS)
def test_every_table_of_evidence_has_source_and_date(notebook):
    """A reader who doubts opens a fold: row, source (a link) and date stand in it."""
    book, heads = nbformat.read(BOOKS / f"{STEMS[notebook]}.ipynb", as_version=4), []
    for cell in book.cells:
        if re.search(r"^(evidence|Linked)\(", cell.source, re.M):
            html = "".join(o.data["text/html"] for o in cell.outputs)
            heads += [re.findall(r"<th[^>]*>([^<]*)</th>", head)
                      for head in re.findall(r"<thead>(.*?)</thead>", html, re.S)]  # fmt: skip
    assert heads
    heads = [h for h in heads if "tool" not in h]  # the scoreboard's rows are measured here
    assert [h for h in heads if not any(name.endswith("source") for name in h)] == []
    assert [h for h in heads if not DATES & set(h)] == []
