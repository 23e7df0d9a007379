"""The form of notebook 15 and of the app: a workload, an SLO, candidates; a plan to take away.

A trace is read from an upload (CSV or Parquet), or a named workload stands in. What a file lacks is
said beneath the form, and the last good workload stays. Results are SVG and tables with words, so
that they print, and every control is reached by keyboard.

>>> form = Planner(n_requests=400)
>>> form.scenario.workload.id, len(form.trace)
('chat', 400)
>>> form.load("log.csv", b"time,prompt\\n0,9\\n").readout[:50]
'log.csv: no column input_tokens, output_tokens; it'
"""

from __future__ import annotations

import base64
import dataclasses
import html
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd

from econ.charts.plan import frontier_chart
from econ.charts.render import is_static
from econ.charts.tables import Table, three
from econ.plan import Plan, describe_frame, export, peak_factor, plan, prices_of
from econ.report import answer_text, first_table, report_html, svg_of
from econ.scenario import Scenario
from econ.terms import Slo
from econ.tokens.clock import UNITS
from econ.tokens.trace_columns import renamed
from econ.tokens.traces import ENDINGS, describe_trace, read_trace
from econ.tokens.workloads import Workload, workload, workloads_frame

WIDE = {"layout": {"width": "340px"}, "style": {"description_width": "150px"}}
POLICIES = ("chunked_prefill", "prefill_first")
STATIC = (
    "In the live notebook a form stands here: choose or upload a workload, set the SLO and the "
    "candidates, press Plan. What follows uses its first state: "
)
TYPES = {".html": "text/html", ".csv": "text/csv", ".json": "application/json",
         ".parquet": "application/octet-stream"}  # fmt: skip


class Planner:
    """Controls, the state they stand for (`scenario`, `trace`, `plan`) and the results beneath."""

    def __init__(self, scenario: Scenario | None = None, n_requests: int = 5000, seed: int = 1):
        self._base = scenario or Scenario.default()
        self._n, self._seed = n_requests, seed
        self.plan: Plan | None = None
        self.readout = ""
        names = [w for w in workloads_frame().index if workload(w).arrival != "all_at_once"]
        slo, names_of_chips = self._base.slo, sorted(prices_of(self._base))
        controls: dict[str, Any] = {
            "workload": widgets.Dropdown(options=names, value=self._base.workload.id,
                                         description="Workload", **WIDE),
            "unit": widgets.Dropdown(options=[("as the file shows", None), *zip(UNITS, UNITS,
                                     strict=True)], description="Arrivals in", **WIDE),
            "columns": widgets.Text(placeholder="when=arrival_s, isl=input_tokens",
                                    description="Log's columns", **WIDE),
            "rate": widgets.BoundedFloatText(value=1.0, min=0.01, max=1e4, step=0.5,
                                             description="Load, × the trace's", **WIDE),
            "ttft": widgets.BoundedFloatText(value=slo.ttft_s, min=0.01, max=600, step=0.1,
                                             description="TTFT limit (s)", **WIDE),
            "tpot": widgets.BoundedFloatText(value=slo.tpot_s, min=0.001, max=10, step=0.005,
                                             description="TPOT limit (s)", **WIDE),
            "share": widgets.BoundedFloatText(value=slo.attainment_frac, min=0.5, max=1, step=0.01,
                                              description="Share that meet both", **WIDE),
            "spare": widgets.BoundedIntText(value=0, min=0, max=100, description="Spare replicas",
                                            **WIDE),
            "accelerators": widgets.SelectMultiple(options=names_of_chips, rows=8,
                                                   value=tuple(names_of_chips),
                                                   description="Accelerators", **WIDE),
        }  # fmt: skip
        self.controls = controls
        self.upload = widgets.FileUpload(
            accept=",".join((*ENDINGS, ".gz")), description="Upload a trace"
        )
        self.button = widgets.Button(description="Plan", button_style="primary")
        self._says = widgets.HTML()
        self._shows = widgets.HTML()
        controls["workload"].observe(lambda _: self.choose(controls["workload"].value), "value")
        self.upload.observe(self._uploaded, "value")
        self.button.on_click(lambda _: self.run())
        grid = widgets.Box(list(controls.values()), layout={"flex_flow": "row wrap"})
        row = widgets.HBox([self.upload, self.button])
        self.widget = widgets.VBox([grid, row, self._says, self._shows]).add_class("econ-planner")
        self.choose(self._base.workload.id)

    def choose(self, name: str) -> Planner:
        """Take a named workload, drawn anew."""
        chosen = workload(name)
        self._take(chosen, chosen.sample(self._n, self._seed))
        return self

    def load(self, name: str, data: bytes | memoryview) -> Planner:
        """Take an uploaded trace; where it cannot be, say why and keep what was there."""
        try:
            columns = renamed(self.controls["columns"].value)
            trace = read_trace(data, name=name, unit=self.controls["unit"].value, columns=columns)
            own = Workload.from_trace(trace, id="own", title=Path(name).stem[:60])
        except (ValueError, ImportError) as error:
            return self._say(str(error), wrong=True)
        self._take(own, trace)
        return self._say(f"{own.title}: {len(trace):,} requests. {describe_trace(trace)}.")

    def _uploaded(self, change: Any) -> None:
        for file in change["new"]:
            self.load(str(file["name"]), file["content"])

    def _take(self, chosen: Workload, trace: pd.DataFrame) -> None:
        self.workload, self.trace, self.plan = chosen, trace, None
        self._shows.value = Table(describe_frame(trace), value=three)._repr_html_()
        self._say(f"{chosen.title or chosen.id}: {len(trace):,} requests.")

    @property
    def scenario(self) -> Scenario:
        """The scenario that the controls say."""
        c = self.controls
        slo = Slo(ttft_s=c["ttft"].value, tpot_s=c["tpot"].value, attainment_frac=c["share"].value)
        load = self.workload
        if load.arrival != "all_at_once":
            load = dataclasses.replace(load, rate_per_s=load.rate_per_s * c["rate"].value)
        return self._base.with_(workload=load, slo=slo)

    def run(self, **settings: Any) -> Planner:
        """Plan with what the controls say, and show the result with files to take away."""
        self._say("Planning: a few seconds …")
        self.button.disabled = True
        try:
            peak = peak_factor(self.trace)[0]
            defaults = {
                "accelerators": list(self.controls["accelerators"].value),
                "policies": POLICIES,
                "n_spare": self.controls["spare"].value,
                "peak_factor": max(peak, 1.0),
            }
            answer = plan(self.scenario, **defaults | settings)
            words = answer_text(answer)
        except (ValueError, ArithmeticError) as error:
            return self._say(str(error), wrong=True)
        finally:
            self.button.disabled = False
        self.plan = answer
        self._shows.value = self._result(answer)
        return self._say(f"{words} Sized for {peak:.2f} times the mean load.")

    def _result(self, answer: Plan) -> str:
        chart = frontier_chart(answer.frontiers(), answer.simulated, self.scenario.slo)
        links = " · ".join(self._link(name, make) for name, make in self._files(answer).items())
        table = first_table(answer, 6)._repr_html_()
        return f'<div style="line-height:1.4">{svg_of(chart)}{table}<p>Take away: {links}</p></div>'

    def _files(self, answer: Plan) -> dict[str, Callable[[], Any]]:
        return {
            "report.html": lambda: report_html(answer),
            "plan.csv": answer.frame,
            "plan.parquet": answer.frame,
            "scenario.json": lambda: self.scenario,
        }

    def _link(self, name: str, make: Callable[[], Any]) -> str:
        """A download that lies in the page itself: the browser names a second one anew."""
        with tempfile.TemporaryDirectory() as folder:
            data = export(make(), Path(folder) / name).read_bytes()
        kind = TYPES[Path(name).suffix]
        code = base64.b64encode(data).decode()
        return f'<a download="{name}" href="data:{kind};base64,{code}">{name}</a>'

    def _say(self, words: str, wrong: bool = False) -> Planner:
        self.readout = words
        ink = "#b3261e" if wrong else "inherit"
        self._says.value = (
            f'<p role="status" aria-live="polite" style="max-width:80ch;color:{ink}">'
            f"{html.escape(words)}</p>"
        )
        return self

    def _ipython_display_(self) -> None:
        from IPython.display import display

        from econ.charts.tables import Say

        form = Say(STATIC + self.readout) if is_static() else self.widget
        display(form)  # type: ignore[no-untyped-call]
