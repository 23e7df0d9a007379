"""One live chart: its rows are replaced in place, so a slider's move is on screen in about 30 ms.

The widget carries Vega with it (bundled by vl-convert, nothing is fetched). Its summary is an
``aria-live`` region, so a screen reader hears what a sighted reader sees change. ipywidgets holds
back all but the newest value while the kernel is busy; the chart therefore always ends at the
last value, however fast a slider is moved.
"""

from __future__ import annotations

import functools
from typing import Any

import anywidget
import pandas as pd
import traitlets

SOURCE = r"""
async function render({ model, el }) {
  el.setAttribute("data-lm-suppress-shortcuts", "true");  // else JupyterLab takes the arrow keys
  el.classList.add("econ-live");
  const box = el.appendChild(document.createElement("div"));
  const words = el.appendChild(document.createElement("p"));
  words.setAttribute("role", "status");
  words.setAttribute("aria-live", "polite");
  words.style.cssText = "margin:4px 12px 8px;max-width:70ch;font-size:14px;line-height:1.45";
  const spec = structuredClone(model.get("spec"));
  spec.data.values = structuredClone(model.get("rows"));  // the first layout needs the rows
  const api = await vegaEmbed(box, spec, { actions: false, renderer: "svg" });
  const show = async () => {
    words.textContent = model.get("summary");
    const rows = structuredClone(model.get("rows"));
    api.view.change("live", api.view.changeset().remove(() => true).insert(rows));
    await api.view.resize().runAsync();  // labels may have grown
    const svg = box.querySelector("svg");
    if (svg) svg.setAttribute("aria-label", model.get("summary"));
    el.dataset.revision = String(model.get("revision"));
    name();
  };
  // ipywidgets' sliders have a label and a value beside them, but neither by name or by role
  const name = () => {
    const panel = el.closest(".econ-panel") || document;
    for (const h of panel.querySelectorAll(".noUi-handle")) {
      const box = h.closest(".widget-inline-hbox");
      const text = (part) => box?.querySelector(part)?.textContent || "";
      h.setAttribute("aria-label", text(".widget-label"));
      h.setAttribute("aria-valuetext", text(".widget-readout"));
    }
  };
  model.on("change:revision", show);
  await show();
  const timer = setTimeout(name, 500);  // controls may be drawn after the chart
  return () => { clearTimeout(timer); api.finalize(); };
}
export default { render };
"""


@functools.cache
def script() -> str:
    """The widget's script with Vega in it; built once per kernel."""
    import vl_convert

    return vl_convert.javascript_bundle(SOURCE)


class LiveChart(anywidget.AnyWidget):
    """A chart whose rows and summary change together, in one message."""

    _esm = ""  # set per instance: building it needs vl-convert
    spec = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)
    summary = traitlets.Unicode("").tag(sync=True)
    revision = traitlets.Int(0).tag(sync=True)

    def __init__(self, spec: dict[str, Any], frame: pd.DataFrame, summary: str):
        type(self)._esm = script()
        super().__init__(spec=spec, rows=frame.to_dict("records"), summary=summary)

    def update(self, frame: pd.DataFrame, summary: str) -> None:
        """Show other rows."""
        with self.hold_sync():
            self.rows = frame.to_dict("records")
            self.summary = summary
            self.revision += 1


def live_spec(chart) -> dict[str, Any]:
    """A chart's specification with its one table taken out, to be filled by the widget."""
    spec = chart.to_dict()
    tables = spec.pop("datasets", {})
    name = spec.get("data", {}).get("name")
    if name not in tables or len(tables) != 1:
        raise ValueError("a live chart draws one table, shared by all its layers")
    spec["data"] = {"name": "live"}
    return spec
