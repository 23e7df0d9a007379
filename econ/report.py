"""A decision or a plan as one page: self-contained HTML with charts as SVG, also for a printer.

No script, no request, no font from elsewhere; every chart carries its words, every name of the
user's is escaped.
"""

from __future__ import annotations

import datetime
import html
import itertools
import re
from collections.abc import Sequence

import pandas as pd

from econ import __version__
from econ.catalog.sources import cite
from econ.catalog.tables import table
from econ.charts import Drawing
from econ.charts import plan as plan_charts
from econ.charts.tables import Table, three
from econ.decision import Decision
from econ.decision.beside import case_words
from econ.decision.horizon import build_up_words, horizon_words, purchases_words
from econ.decision.launch import launch_lines
from econ.decision.pages import (
    HEADS,
    answer_line,
    break_even_frame,
    copies_words,
    glossary,
    launch_title,
    options_frame,
    question,
    sections,
    side_rows,
    worth_line,
)
from econ.plan import Plan
from econ.scenario import Scenario

STYLE = """
:root{color-scheme:light;--ink:#1f2328;--paper:#fff;--line:#d8dee4;--faint:#57606a;--mark:#0072b2}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;--ink:#e6e8eb;
--paper:#1b1b1b;--line:#444;--faint:#a9b1ba;--mark:#56b4e9}svg{background:#fff}}
body{font:16px/1.5 system-ui,'Segoe UI','DejaVu Sans',sans-serif;color:var(--ink);
background:var(--paper);max-width:820px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.2rem;margin-top:2rem}
.answer{font-size:1.15rem;border-left:4px solid var(--mark);padding:.2rem 0 .2rem 1rem}
table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{border-bottom:1px solid var(--line);padding:.25rem .5rem;vertical-align:top}
figure{margin:1.5rem 0;break-inside:avoid}figcaption{font-size:.85rem;color:var(--faint)}
svg{max-width:100%;height:auto}
pre{overflow-x:auto;font-size:.8rem;white-space:pre-wrap}
.wide{overflow-x:auto}
.wide table:has(th:nth-child(11)){font-size:.7rem}
table:has(th:nth-child(11)) :is(th,td){padding:.25rem .3rem}
@media print{body{margin:0;max-width:none;font-size:11pt}h2{break-after:avoid}
table,.answer{break-inside:avoid}.wide{overflow:visible}@page{margin:15mm}
table{font-size:.75rem}th,td{padding:.2rem .3rem}
.wide table:has(th:nth-child(11)){font-size:.62rem}}
"""
HEAD = {
    "basis": "basis", "deployment": "deployment", "policy": "policy", "good": "good requests",
    "p95_ttft_s": "p95 TTFT (s)", "p95_tpot_s": "p95 TPOT (s)", "usd_per_hour": "USD per hour",
    "cost_usd_per_good_mtok": "USD per good Mtok", "band": "90 % band",
    "regime": "evidence", "site_energy_j_per_token": "J per token",
    "carbon_g_per_mtok": "g CO2e per Mtok",
}  # fmt: skip
RESTS = {
    "new accelerator": " No run on this accelerator was in the fit of the latency model.",
    "new model": " No run of this model was in the fit of the latency model.",
    "new both": " Neither model nor accelerator was in the fit of the latency model.",
    "crowded": " So many users of one replica were hardly measured: the band is wide.",
    "beyond": " Runs like this were not in the fit of the latency model: the band is wide.",
}
DAY = re.compile(r"\b20\d\d-\d\d(-\d\d)?\b")
SEARCHED = """What follows is the search behind the machines above: at the rent of an hour, without
staff, commitments, horizon or the chance to keep the SLO. So its cheapest fleet need not be the one
that is chosen."""
SOUGHT = ("deployment", "finance")  # what a decision looks for: machines, and at which price
LIMITS = """The latency model was fitted to public runs of common stacks; its band on throughput is
the band on cost here. The screen works with mean lengths; simulated rows keep the SLO on each of
four draws of arrivals like the workload's, and the proof covers what can be simulated. Quality is
not priced: a smaller precision is taken to answer as well. Whole replicas are rented around the
clock at one price. Pipelines are screened, not simulated."""


def answer_text(plan: Plan) -> str:
    """The recommendation in one sentence, with its band."""
    best, workload = plan.best, plan.demand.scenario.workload
    policy = f", {best['policy'].replace('_', ' ')}" if best.get("policy") else ""
    low, high = plan.band("cost_usd_per_good_mtok")
    good = best.get("good_frac")
    share = ""
    if good == good and good:
        share = f"; {good:.1%} (± {best['good_frac_se']:.1%}) of requests meet the SLO"
    rests = RESTS.get(str(best["regime"]), "")
    return (
        f"{best['fleet_gpus']:.0f} × {best['accelerator']} at {best['precision']} (TP "
        f"{best['tp']:.0f}{policy}) serve {workload.title or workload.id} at "
        f"${best['cost_usd_per_good_mtok']:.2f} per million good output tokens "
        f"(${low:.2f} to ${high:.2f}), ${best['usd_per_hour']:,.2f} an hour{share}, with "
        f"{best['arrivals']}. {plan.proof.capitalize()}.{rests}"
    )


def prose(text: str) -> str:
    """Text as HTML; no line ends inside a date.

    >>> prose("a < b (2026-11-24)")
    'a &lt; b (<span style="white-space:nowrap">2026-11-24</span>)'
    """
    return _unbroken(html.escape(text))


def _unbroken(markup: str) -> str:
    return DAY.sub(r'<span style="white-space:nowrap">\g<0></span>', markup)


def whole_words(command: str) -> str:
    """A command as HTML: lines end between its words, not after a hyphen.

    >>> whole_words("serve --max-len 8")
    'serve <span style="white-space:nowrap">--max-len</span> 8'
    """
    words = (html.escape(word) for word in command.split(" "))
    return " ".join(
        f'<span style="white-space:nowrap">{word}</span>' if "-" in word else word for word in words
    )


def svg_of(chart: Drawing, n_before: int = 0) -> str:
    """The chart as inline SVG with its description as name; its inner ids are its own.

    In a browser, where nothing can draw it, a sentence says so.
    """
    try:
        import vl_convert
    except ImportError:
        return "<p>Where vl-convert is not installed there is no picture, only its words.</p>"
    spec = chart.to_dict()
    svg = vl_convert.vegalite_to_svg(spec)
    svg = re.sub(r'(\bid="|url\(#)', rf"\g<1>c{n_before}-", svg)
    words = html.escape(spec["description"], quote=True)
    return re.sub(r"<svg\b", f'<svg role="img" aria-label="{words}"', svg, count=1)


def report_html(
    plan: Plan,
    *,
    n_rows: int = 12,
    created: datetime.date | None = None,
) -> str:
    """The page: answer, scenario, frontier, first rows, what ruled out the rest.

    Parameters
    ----------
    plan : Plan
        What it reports.
    n_rows : int
        Rows of the table, e.g. 12.
    created : datetime.date, optional
        The day on the page; None for today.

    Returns
    -------
    str
        HTML that needs no other file and asks no network.
    """
    title = f"A plan for {plan.demand.scenario.name}"
    parts = [
        f'<p class="answer">{html.escape(answer_text(plan))}</p>',
        *_evidence(plan, n_rows, SOUGHT[:1]),
        "<h2>Limits</h2>",
        f"<p>{html.escape(LIMITS)}</p>",
        *_sources(plan),
    ]
    return _page(title, parts, created)


def decision_html(
    decision: Decision, *, n_rows: int = 12, created: datetime.date | None = None
) -> str:
    """The page of a decision: the memo first, the evidence below.

    Parameters
    ----------
    decision : Decision
        From `econ.decide`.
    n_rows : int
        Deployments in the evidence, e.g. 12.
    created : datetime.date, optional
        The day on the page; None for today.

    Returns
    -------
    str
        HTML that needs no other file and asks no network.
    """
    first, evidence = decision_parts(decision, n_rows)
    return _page(f"{decision.scenario.name}: what to run", [*first, *evidence], created)


def decision_parts(decision: Decision, n_rows: int = 12) -> tuple[list[str], list[str]]:
    """The page of whoever decides, and the evidence below it, as pieces of HTML."""
    first = [
        f"<p>{html.escape(question(decision))}</p>",
        f'<p class="answer">{prose(answer_line(decision))}</p>',
        *(f"<p>{prose(line)}</p>" for line in [worth_line(decision)] if line),
        _table(Table(pd.DataFrame(side_rows(decision), columns=list(HEADS)))),
        *(f"<p>{prose(line)}</p>" for line in [case_words(decision)] if line),
        *(f"<p><small>{prose(line)}</small></p>" for line in [glossary(decision)] if line),
        *(
            f"<p>{prose(line)}</p>"
            for words in (horizon_words, build_up_words, purchases_words)
            if (line := words(decision))
        ),
    ]
    for heading, sentences in sections(decision):
        items = "".join(f"<li>{prose(text)}</li>" for text in sentences)
        first += [f"<h2>{heading}</h2>", f"<ul>{items}</ul>"]
    if of_tasks := decision.task_words():
        items = "".join(f"<li>{prose(text)}</li>" for text in of_tasks)
        first += ["<h2>What a finished task costs</h2>", f"<ul>{items}</ul>"]
    if fleet := decision.fleet():
        lines = launch_lines(fleet.scenario, decision.weights).values()
        first += [f"<h2>{launch_title(decision)}: {html.escape(copies_words(fleet))}</h2>",
                  f"<pre>{chr(10).join(map(whole_words, lines))}</pre>"]  # fmt: skip
    evidence = ["<h2>All options</h2>", _table(Table(options_frame(decision)))]
    if len(decision.break_even):
        evidence += ["<h2>Break-even against the best API</h2>",
                     _table(Table(break_even_frame(decision)))]  # fmt: skip
    if decision.plan is not None and decision.fleets:
        evidence += [f"<p>{html.escape(SEARCHED)}</p>", *_evidence(decision.plan, n_rows, SOUGHT)]
        evidence += ["<h2>Limits</h2>", f"<p>{html.escape(LIMITS)}</p>", *_sources(decision.plan)]
    return first, evidence


class Figures:
    """Charts as SVG with their words beneath, numbered so that their inner ids differ."""

    def __init__(self, start: int = 100) -> None:
        self._numbers = itertools.count(start)

    def __call__(self, chart: Drawing) -> str:
        words = html.escape(chart.to_dict()["description"])
        picture = svg_of(chart, next(self._numbers))
        return f"<figure>{picture}<figcaption>{words}</figcaption></figure>"


def _evidence(plan: Plan, n_rows: int, sought: Sequence[str]) -> list[str]:
    """What was asked, the frontier, the first deployments, what ruled out the others."""
    figure, scenario = Figures(1), plan.demand.scenario
    return [
        "<h2>What was asked</h2>",
        _table(Table(asked_frame(scenario, sought))),
        "<h2>Cost against speed</h2>",
        figure(plan_charts.frontier_chart(plan.frontiers(), plan.simulated, scenario.slo)),
        "<h2>The first deployments</h2>",
        _table(first_table(plan, n_rows)),
        "<h2>What ruled out the others</h2>",
        figure(plan_charts.losers_chart(plan.constraints())),
    ]


def asked_frame(scenario: Scenario, sought: Sequence[str]) -> pd.DataFrame:
    """What a scenario asks, without the parts that are looked for."""
    frame = scenario.frame()
    part = frame["part"].where(frame["part"] != "").ffill()
    mean = "PUE: the industry's mean, as no operator is named"
    frame["value"] = frame["value"].replace("PUE of operator: industry", mean)
    return frame[~part.isin(sought)]


def _sources(plan: Plan) -> list[str]:
    sources = [f"{s} ({what})" for what, s in sources_frame(plan).itertuples(index=False)]
    items = "".join(f"<li>{html.escape(s)}</li>" for s in sources)
    return ["<h2>Sources</h2>", f"<ul>{items}</ul>"]


def _page(title: str, parts: list[str], created: datetime.date | None) -> str:
    day = (created or datetime.date.today()).isoformat()
    parts = [
        *parts,
        f"<p><small>Made on {day} by inference-economics {__version__}.</small></p>",
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">"
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{html.escape(title)}</h1>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def first_table(plan: Plan, n_rows: int = 12) -> Table:
    """The plan's first rows that meet the SLO, under readable heads."""
    rows = plan.feasible.head(n_rows)
    names = [
        f"{r.fleet_gpus:.0f} × {r.accelerator}, {r.precision}, TP {r.tp}"
        + (f", PP {r.pp}" if r.pp > 1 else "") + (f", DP {r.dp}" if r.dp > 1 else "")
        + f", batch {r.concurrency}"
        for r in rows.itertuples()
    ]  # fmt: skip
    ends = zip(rows["cost_low_usd_per_good_mtok"], rows["cost_high_usd_per_good_mtok"], strict=True)
    rows = rows.assign(deployment=names, band=[f"{low:.2f} to {high:.2f}" for low, high in ends])
    if "policy" in rows:
        rows["policy"] = rows["policy"].str.replace("_", " ")
        rows["good"] = ["" if g != g else f"{g:.1%}" for g in rows["good_frac"]]
    columns = (
        rows[[c for c in HEAD if c in rows]]
        .rename(columns=HEAD)
        .astype({"basis": str, "evidence": str})
    )
    formats = {c: three for c in columns if pd.api.types.is_numeric_dtype(columns[c])}
    money = dict.fromkeys(("USD per good Mtok", "USD per hour"), "{:,.2f}")
    return Table(columns, **(formats | money))


def sources_frame(plan: Plan) -> pd.DataFrame:
    """Where workload, rents and calibration come from, each once: what, source."""
    keys: dict[str, str] = {}
    if source := plan.demand.scenario.workload.source:
        keys[source] = "workload"
    chips = set(plan.feasible["accelerator"].astype(str))
    rents = table("rentals")
    for row in rents[rents["accelerator"].isin(chips)].itertuples():
        keys.setdefault(row.source, f"rents, {row.as_of}")
    for source in table("measured_serving")["source"].unique():
        keys.setdefault(source, "calibration of latency")
    for source in table("power_calibration")["source"].unique():
        keys.setdefault(source, "calibration of power")
    known = set(table("sources").index)
    rows = [(what, str(cite(key))) for key, what in keys.items() if key in known]
    return pd.DataFrame(rows, columns=["what", "source"])


def _table(rows: Table) -> str:
    return f'<div class="wide" tabindex="0">{_unbroken(rows._repr_html_())}</div>'
