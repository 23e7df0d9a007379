"""The page: whole, self-contained, with words for every chart, nothing of the user's unescaped."""

from __future__ import annotations

import dataclasses
import datetime
import re
import sys
from html.parser import HTMLParser

import pytest

from econ.plan import plan
from econ.report import (
    answer_text,
    decision_html,
    first_table,
    report_html,
    sources_frame,
    svg_of,
)
from econ.scenario import Scenario
from tests.decision.cases import answer

QUICK = {"accelerators": ["h100-sxm", "h200-sxm"], "precisions": ["fp8"],
         "parallelism": [(1, 1, 1, 1), (4, 1, 1, 1)], "concurrencies": [8, 32]}  # fmt: skip
SCENARIO = Scenario.default().with_(name="<script>alert('x')</script> & Söhne")
DAY = datetime.date(2026, 11, 24)


@pytest.fixture(scope="module")
def made():
    return plan(SCENARIO, n_refined=2, n=400, **QUICK)


@pytest.fixture(scope="module")
def page(made):
    return report_html(made, created=DAY)


class Reader(HTMLParser):
    """Every tag with its attributes; complains about one that is not closed."""

    VOID = ("meta", "link", "img", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_it_is_well_formed_and_its_charts_have_words(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    charts = [attrs for tag, attrs in reader.tags if tag == "svg" and "role" in attrs]
    assert len(charts) == 2
    assert all(a["role"] == "img" and len(a["aria-label"]) > 40 for a in charts)
    assert [t for t, _ in reader.tags if t == "h1"] == ["h1"]
    ids = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_it_asks_nobody_for_anything(page):
    reader = Reader()
    reader.feed(page)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in reader.tags}
    for _, attrs in reader.tags:
        assert not {"src", "onload", "onclick"} & set(attrs)
        assert attrs.get("href", "#").startswith("#")
    assert not re.search(r"url\((?!#)|@import", page)
    assert "default-src 'none'" in page


def test_names_are_escaped_and_the_answer_is_there(page, made):
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "Söhne" in page
    best = made.best
    assert f"${best['cost_usd_per_good_mtok']:.2f} per million" in page
    assert "2026-11-24" in page
    assert "@media print" in page
    assert "was in the fit" not in answer_text(made)  # this pair was measured
    odd = dataclasses.replace(made)
    vars(odd)["simulated"] = made.simulated.assign(
        regime="beyond"
    )  # in the place of what it would work out
    assert "the band is wide" in answer_text(odd)
    assert answer_text(made).startswith(f"{best['fleet_gpus']:.0f} × ")


def test_a_screen_alone_makes_a_page_too():
    made = plan(SCENARIO, n_refined=0, **QUICK)
    assert "none was simulated" in report_html(made, created=DAY)
    assert len(first_table(made, 5).text) == 5


def test_a_charts_inner_ids_are_its_own(made, monkeypatch):
    from econ.charts.plan import frontier_chart

    chart = frontier_chart(made.frontiers(), made.rows.head(1), SCENARIO.slo)
    found = [set(re.findall(r'\bid="([^"]+)"', svg_of(chart, n))) for n in (1, 2)]
    assert not found[0] & found[1]
    assert svg_of(chart).count("<svg") == 1
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert "no picture" in svg_of(chart)


def test_every_source_stands_once(made):
    sources = sources_frame(made)
    assert {"workload", "calibration of latency"} <= set(sources["what"])
    assert sources["source"].is_unique


def test_a_memo_follows_the_readers_colours_and_breaks_no_date_or_word():
    page = decision_html(answer())
    style = page[: page.index("</style>")]
    assert "@media screen and (prefers-color-scheme:dark)" in style  # print stays light
    assert "overflow-wrap:anywhere" not in style
    days = re.findall(r"(.{34})20\d\d-\d\d-\d\d", page[page.index("<main>") : page.index("<svg")])
    assert days
    assert all(before.endswith('<span style="white-space:nowrap">') for before in days)
    lines = page[page.index("<pre>") : page.index("</pre>")]
    bare = re.sub(r"<span[^>]*>.*?</span>", "", lines)
    assert "--" not in bare


def test_what_was_asked_holds_no_deployment():
    page = decision_html(answer())
    asked = page[page.index("What was asked") : page.index("Cost against speed")]
    assert "deployment" not in asked
    assert "per GPU-hour" not in asked
    assert "qwen3-32b" in asked
