"""The form of `make app` and of notebook 15: the question of `econ decide`, answered on one page.

Every control is a flag of the command line (`Form.words`), so form, link and shell ask the same. A
trace and a model's ``config.json`` can be uploaded; what a file lacks is said beneath the form, and
the last good one stays. The answer comes first, the evidence below; charts are SVG with words, and
every control is reached by keyboard.

>>> form = Form()
>>> form.controls["amount"].value = "2M"
>>> form.words[:4]
['--model', 'llama-3.1-70b', '--tokens-per-day', '2M']
>>> Form.of_link(form.link).words == form.words
True
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import os
import re
import shlex
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs

import ipywidgets as widgets
import pandas as pd

from econ.catalog.units import MEGA
from econ.charts.controls import LOADS, OWN_LOAD, WIDE, controls
from econ.charts.live import Watch
from econ.charts.render import is_static
from econ.charts.tables import Say, Table, three
from econ.decide_command import add_decide, asked
from econ.decision import Decision, decide
from econ.decision.workbook import workbook
from econ.plan import describe_frame, export
from econ.report import decision_html, decision_parts, whole_words
from econ.scenario import Scenario
from econ.tokens.trace_columns import renamed
from econ.tokens.traces import ENDINGS, read_trace

FITS = {"width": "max-content"}  # a button as wide as its words
# Voilà is white whatever the reader's machine prefers; JupyterLab's own theme stays what it is
DARK = (
    "<style>@media (prefers-color-scheme: dark){:root{color-scheme:dark;"
    "--jp-layout-color0:#111;--jp-layout-color1:#1b1b1b;--jp-layout-color2:#3a3a3a;"
    "--jp-layout-color3:#555;--jp-border-color0:#777;--jp-border-color1:#666;"
    "--jp-border-color2:#444;--jp-border-color3:#333;--jp-rendermime-table-row-background:#262626;"
    "--jp-rendermime-table-row-hover-background:#30424f;--jp-content-link-color:#8ab4f8;"
    + "".join(f"--jp-{kind}-font-color{n}:{ink};" for kind in ("content", "ui")
              for n, ink in enumerate(("#fff", "#f1f1f1", "#c7c7c7", "#9a9a9a")))
    + "}body{background:#1b1b1b;color:#f1f1f1}.widget-dropdown>select{background-image:"
    "url(\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E"
    "%3Cpath fill='%23f1f1f1' d='M5 7h8l-4 5z'/%3E%3C/svg%3E\")!important}}</style>"
)  # fmt: skip
ANSWER = (
    "<style>.econ-answer{line-height:1.4;max-width:100ch}"
    ".econ-answer :is(th,td){padding:.25rem .75rem .25rem 0;vertical-align:top}"
    ".econ-answer .answer{font-size:1.1em;border-left:4px solid #0072b2;padding-left:.8rem}"
    ".econ-answer :is(pre,code){white-space:pre-wrap;word-break:normal;overflow-wrap:normal;"
    "font-family:monospace}.econ-answer .wide{overflow-x:auto}"
    "@media (prefers-color-scheme:dark){.econ-answer svg{background:#fff}}</style>"
)
STATIC = (
    "In the live notebook a form stands here: model, load or file, SLO, prices, terms; press "
    "Decide. What follows uses its first state: "
)
TYPES = {".html": "text/html", ".csv": "text/csv", ".json": "application/json", ".md": "text/plain",
         ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}  # fmt: skip
# control -> flag that takes its text as one value; an empty text leaves the flag out
FLAGS = {
    "workload": "--workload", "input": "--input-tokens", "output": "--output-tokens",
    "cached": "--cached-frac", "peak": "--peak-factor", "growth": "--growth-per-year",
    "ttft": "--ttft", "itl": "--itl", "attainment": "--attainment", "deadline": "--deadline-h",
    "region": "--region", "worth": "--value-per-answer", "floor": "--quality-floor",
    "horizon": "--horizon-years", "spare": "--spare",
}  # fmt: skip
CHOICES = {"accelerators": "--accelerator", "terms": "--term"}
SWITCHES = {"no_api": "--no-api", "on_premises": "--on-premises"}
QUOTES = {
    "api_price": "--api-price",
    "price": "--price",
    "measured": "--measured",
    "right": "--right",
}
MOST_UPLOAD_BYTES = 32_000_000
STEPS = 5  # that `decide` names as it goes


class Cancelled(Exception):
    """The work was called off."""


class Parser(argparse.ArgumentParser):
    """A parser that raises what it would print."""

    def error(self, message: str) -> NoReturn:
        """The message as a `ValueError`."""
        raise ValueError(message)


class Form:
    """Controls, the question they stand for, and the answer beneath.

    Parameters
    ----------
    amount : str
        Tokens a day at first, e.g. ``"40M"``; empty for the load of the workload or log.
    n_requests, seed : int
        Draws that stand for a workload as a trace.
    """

    def __init__(self, amount: str = "40M", n_requests: int = 5000, seed: int = 1):
        self._n, self._seed = n_requests, seed
        self._folder = tempfile.TemporaryDirectory()
        self._files: dict[str, Path] = {}
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None
        self.decision: Decision | None = None
        self.readout = ""
        self.controls = controls()
        self.controls["amount"].value = amount
        if not amount:
            self.controls["of"].value = OWN_LOAD
        self.upload = widgets.FileUpload(
            accept=",".join((*ENDINGS, ".gz")), description="Upload a trace", layout=FITS
        )
        self.config = widgets.FileUpload(
            accept=".json", description="Upload a config.json", layout=FITS
        )
        self.button = widgets.Button(description="Decide", button_style="primary")
        self.stop = widgets.Button(description="Cancel", disabled=True)
        self.bar = widgets.IntProgress(max=STEPS, description="Progress", **WIDE)
        self._says, self._shows = widgets.HTML(), widgets.HTML()
        self.watch = Watch(MOST_UPLOAD_BYTES, self._too_large)
        self.upload.observe(lambda change: self._uploaded("trace", change), "value")
        self.config.observe(lambda change: self._uploaded("model", change), "value")
        self.button.on_click(lambda _: self.run())
        self.stop.on_click(lambda _: self._cancel.set())
        self.controls["workload"].observe(lambda _: self._forget("trace"), "value")
        self.controls["model"].observe(lambda _: self._forget("model"), "value")
        grid = widgets.Box(list(self.controls.values()), layout={"flex_flow": "row wrap"})
        limit = widgets.Label(f"Files of at most {MOST_UPLOAD_BYTES / MEGA:.0f} MB.")
        row = widgets.Box(
            [self.upload, self.config, limit, self.button, self.stop, self.bar],
            layout={"flex_flow": "row wrap"},
        )
        parts = [grid, row, self._says, self._shows, self.watch]
        self.widget = widgets.VBox(parts).add_class("econ-form")
        self._say(self._load_words())

    @classmethod
    def app(cls) -> Form:
        """The form of an app: in the state of the address, in the reader's own light or dark."""
        from IPython.display import HTML, display

        display(HTML(DARK))  # type: ignore[no-untyped-call]
        return cls.of_link()

    @classmethod
    def of_link(cls, link: str | None = None) -> Form:
        """The form in the state of a link; by default of the address that opened the app."""
        query = os.environ.get("QUERY_STRING", "") if link is None else link.lstrip("?")
        form = cls()
        if state := parse_qs(query).get("ask"):
            try:
                values = json.loads(base64.urlsafe_b64decode(state[0]))
                form._set(values)
            except (ValueError, AttributeError, TypeError) as error:
                form._say(f"the link cannot be read: {error}", wrong=True)
        return form

    def _set(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if name in self.controls:
                stored = tuple(value) if isinstance(value, list) else value
                self.controls[name].value = stored  # traitlets refuse what does not fit

    @property
    def link(self) -> str:
        """The state of the controls as a link; files that were uploaded are not in it."""
        values = {name: control.value for name, control in self.controls.items()}
        text = json.dumps(values, separators=(",", ":")).encode()
        return f"?ask={base64.urlsafe_b64encode(text).decode()}"

    @property
    def words(self) -> list[str]:
        """The flags of `econ decide` that the controls say."""
        values = {name: control.value for name, control in self.controls.items()}
        words = ["--model", str(self._files.get("model", values["model"]))]
        if flag := LOADS[values["of"]]:
            words += [flag, values["amount"]]
        if trace := self._files.get("trace"):
            words += ["--trace", str(trace)]
            words += ["--unit", values["unit"]] if values["unit"] else []
            words += ["--columns", values["columns"]] if values["columns"] else []
        for name, flag in FLAGS.items():
            if str(values[name]) and not (name == "workload" and "trace" in self._files):
                words += [flag, str(values[name])]
        for name, flag in CHOICES.items():
            words += [flag, ",".join(values[name])] if values[name] else []
        words += [flag for name, flag in SWITCHES.items() if values[name]]
        for name, flag in QUOTES.items():
            words += [flag, *values[name].split()] if values[name].split() else []
        return words

    def _asked(self) -> tuple[Scenario, dict[str, Any]]:
        parser = Parser()
        add_decide(parser.add_subparsers(dest="command"))
        options = parser.parse_args(["decide", *self.words])
        return asked(options)

    @property
    def scenario(self) -> Scenario:
        """The scenario that the controls say."""
        return self._asked()[0]

    @property
    def trace(self) -> pd.DataFrame:
        """The uploaded requests, or draws from the workload at its load."""
        uploaded = self._asked()[1]["trace"] if "trace" in self._files else None
        return self.scenario.workload.sample(self._n, self._seed) if uploaded is None else uploaded

    def load(self, kind: str, name: str, data: bytes | memoryview) -> Form:
        """Take an uploaded ``"trace"`` or ``"model"``; what is wrong is said, the last kept."""
        if len(data) > MOST_UPLOAD_BYTES:
            return self._too_large(kind, name, len(data))
        before = self._files.get(kind)
        stem = re.sub(r"[^A-Za-z0-9_-]", "-", Path(name).stem)[:60] or "own"
        suffixes = "".join(Path(name).suffixes[-2:]) if kind == "trace" else ".json"
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))  # the last good one is kept
        if kind == "model":  # its folder names a config.json
            folder /= "own-model"
            folder.mkdir()
        file = folder / f"{stem}{suffixes}"
        try:
            if kind == "trace":  # its own name is in what is said
                values = self.controls
                read_trace(data, name=name, unit=values["unit"].value or None,
                           columns=renamed(values["columns"].value))  # fmt: skip
            file.write_bytes(data)
            self._files[kind] = file
            if kind == "trace":
                self.controls["of"].value = OWN_LOAD
            words = self._load_words()
        except (ValueError, ImportError, OSError) as error:
            self._files.pop(kind, None)
            if before is not None:
                self._files[kind] = before
            return self._say(str(error), wrong=True)
        return self._say(words)

    def _too_large(self, kind: str, name: str, n_bytes: int) -> Form:
        """Say that a file was not taken, and let go of the one before it: it is not meant."""
        self._forget(kind)
        words = f"{name}: {n_bytes / MEGA:,.0f} MB; at most {MOST_UPLOAD_BYTES / MEGA:.0f} MB are "
        words += f"taken: take a part of it. No uploaded {kind} is in use now."
        return self._say(words, wrong=True)

    def _uploaded(self, kind: str, change: Any) -> None:
        for file in change["new"]:
            self.load(kind, str(file["name"]), file["content"])

    def _forget(self, kind: str) -> None:
        self._files.pop(kind, None)

    def _load_words(self) -> str:
        """The question's load in words, and the trace as a table beneath."""
        scenario = self.scenario
        self._shows.value = Table(describe_frame(self.trace), value=three)._repr_html_()
        w = scenario.workload
        return (
            f"{scenario.resolved_model.name}: {w.title or w.id}, {w.rate_per_s:.3g} requests/s of "
            f"{w.mean_input_tokens:,.0f} tokens in and {w.mean_output_tokens:,.0f} out."
        )

    def run(self, wait: bool = False, **settings: Any) -> Form:
        """Decide in the background; ``wait`` for the answer; settings of `econ.decide` on top."""
        if self._thread is not None and self._thread.is_alive():
            return self
        self._cancel.clear()
        self.button.disabled, self.stop.disabled, self.bar.value = True, False, 0
        self._say("Deciding: a few seconds …")
        self._thread = threading.Thread(target=self._work, args=(settings,), daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # Python in a page has no threads
            self._work(settings)
        else:
            if wait:
                self._thread.join()
        return self

    def _watch(self, step: str) -> None:
        if self._cancel.is_set():
            raise Cancelled
        self.bar.value += 1
        self._say(f"{step[0].upper()}{step[1:]} …")

    def _work(self, settings: Mapping[str, Any]) -> None:
        try:
            scenario, flags = self._asked()
            answer = decide(scenario, watch=self._watch, **(flags | dict(settings)))
            page = self._page(answer)
        except Cancelled:
            self._say("Cancelled; the last answer stays.")
            return
        except (ValueError, ArithmeticError, OSError) as error:
            self._say(str(error), wrong=True)
            return
        except MemoryError:
            self._say("This takes more memory than there is: ask a smaller one.", wrong=True)
            return
        finally:
            self.button.disabled, self.stop.disabled, self.bar.value = False, True, 0
        self.decision = answer
        self._shows.value = page
        self._say("Done: the answer stands below.")
        self.readout = str(answer)

    def _page(self, answer: Decision) -> str:
        """The executive's page, the files to take away, and the evidence folded below."""
        first, evidence = decision_parts(answer)
        links = " · ".join(self._download(name, make) for name, make in self._takes(answer).items())
        files = {str(path): path.name for path in self._files.values()}
        words = shlex.join(files.get(word, word) for word in self.words)
        shell = whole_words(f"econ decide {words}")
        return (
            f'{ANSWER}<div class="econ-answer">{"".join(first)}'
            f'<p>Take away: {links} · <a href="{self.link}">a link to this question</a></p>'
            f"<p><code>{shell}</code></p><details><summary>Evidence</summary>"
            f"{''.join(evidence)}</details></div>"
        )

    def _takes(self, answer: Decision) -> dict[str, Callable[[], Any]]:
        return {
            "memo.html": lambda: decision_html(answer),
            "memo.md": answer.memo,
            "finance.xlsx": lambda: workbook(answer),
            "options.csv": answer.frame,
            "scenario.json": lambda: answer.scenario,
        }

    def _download(self, name: str, make: Callable[[], Any]) -> str:
        """A download that lies in the page itself: the browser names a second one anew."""
        with tempfile.TemporaryDirectory() as folder:
            data = export(make(), Path(folder) / name).read_bytes()
        code = base64.b64encode(data).decode()
        kind = TYPES[Path(name).suffix]
        return f'<a download="{name}" href="data:{kind};base64,{code}">{name}</a>'

    def _say(self, words: str, wrong: bool = False) -> Form:
        if wrong and self._shows.value:
            words = f"{words.removesuffix('.')}. What stands below answers your question before."
        self.readout = words
        ink = "color:#b3261e;color:light-dark(#b3261e,#ff9d94)" if wrong else "color:inherit"
        self._says.value = (
            f'<p role="status" aria-live="polite" style="max-width:80ch;line-height:1.4;{ink}">'
            f"{html.escape(words)}</p>"
        )
        return self

    def _ipython_display_(self) -> None:
        from IPython.display import display

        form = Say(STATIC + self.readout) if is_static() else self.widget
        display(form)  # type: ignore[no-untyped-call]
