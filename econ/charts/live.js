const WIDEST = 760, NARROW = 420;  // a chart's widths
const LINE = /\S{29,}|\S.{0,27}(?=\s|$)/g;  // what a phone shows of a title on a line
const RESTED_MS = 700;  // how long a state stands to leave a ghost
async function render({ model, el }) {
  el.setAttribute("data-lm-suppress-shortcuts", "true");  // else JupyterLab takes the arrow keys
  el.classList.add("econ-live");
  // the title is text of the page, not of the picture: it wraps, and a phone shows all of it
  const heading = el.appendChild(document.createElement("p"));
  heading.className = "econ-title";
  heading.style.cssText = "margin:8px 12px 4px;font-weight:600;font-size:15px;line-height:1.35";
  const box = el.appendChild(document.createElement("div"));
  const words = el.appendChild(document.createElement("p"));
  words.setAttribute("role", "status");
  words.setAttribute("aria-live", "polite");
  words.style.cssText = "margin:4px 12px 8px;max-width:70ch;font-size:14px;line-height:1.45";
  const more = el.appendChild(document.createElement("details"));
  more.style.cssText = "margin:0 12px 8px;font-size:14px";
  more.appendChild(document.createElement("summary")).textContent = "The chart's numbers";
  const grid = more.appendChild(document.createElement("div"));
  grid.tabIndex = 0;  // scrolled by keyboard
  grid.style.cssText = "max-height:24em;overflow:auto";
  let api, drawn, busy = false, stale = false, gone = false, room = 0;
  // the rows on screen, since when, and those of the last state that stood for a while: the ghost
  let current = [], since = 0, ghost = [];

  const embed = async (spec, rows) => {
    const full = structuredClone(spec);
    full.data.values = rows;  // the first layout needs the rows
    if (full.datasets) full.datasets.ghost = rows;  // hidden behind what it equals
    room = box.clientWidth;
    const parts = ["hconcat", "vconcat", "concat", "facet", "repeat"].some((k) => k in full);
    if (!parts && room > 0 && typeof (full.width ?? 0) === "number") {
      full.width = Math.min(room, WIDEST);
      full.autosize = { type: "fit-x", contains: "padding" };
      if (room < NARROW) upright(full);
    }
    api?.finalize();
    api = await vegaEmbed(box, full, { actions: false, renderer: "svg" });
    drawn = spec;
    ghost = rows;
  };
  const upright = (part) => {  // on a phone names of a legend stand below each other, titles wrap
    if (!part || typeof part !== "object") return;
    if (part.legend) part.legend.columns = 1;
    if (typeof part.title === "string") part.title = lines(part.title);
    if (typeof part.title?.text === "string") part.title.text = lines(part.title.text);
    Object.values(part).forEach(upright);
  };
  const lines = (words) => words.match(LINE) ?? words;
  const haunt = () => {  // what stood still before this change stays visible, faint
    if (performance.now() - since > RESTED_MS) ghost = current;
    api.view.change("ghost", api.view.changeset().remove(() => true)
      .insert(structuredClone(ghost)));
  };
  const fill = () => {  // the rows as a table, once someone has opened it
    const rows = model.get("rows"), said = JSON.stringify(model.get("spec"));
    const columns = Object.keys(rows[0] || {}).filter((c) => said.includes(c));
    const table = document.createElement("table");
    const line = (tag, values) => {
      const row = table.appendChild(document.createElement("tr"));
      for (const value of values) {
        const number = typeof value === "number", cell = document.createElement(tag);
        cell.textContent = number ? value.toLocaleString("en", { maximumSignificantDigits: 4 })
          : String(value ?? "");
        cell.style.textAlign = number ? "right" : "left";
        row.appendChild(cell);
      }
    };
    line("th", columns);
    for (const row of rows) line("td", columns.map((c) => row[c]));
    grid.replaceChildren(table);
  };
  more.addEventListener("toggle", () => more.open && fill());
  const draw = async () => {
    const rows = structuredClone(model.get("rows"));
    const [spec, summary, revision] = ["spec", "summary", "revision"].map((k) => model.get(k));
    try {
      heading.textContent = [model.get("title")].flat().join(" ");
      if (spec !== drawn) await embed(spec, rows);
      else {
        if ("ghost" in (spec.datasets || {})) haunt();
        api.view.change("live", api.view.changeset().remove(() => true).insert(rows));
        await api.view.resize().runAsync();  // labels may have grown
      }
      [current, since] = [model.get("rows"), performance.now()];
      const svg = box.querySelector("svg");  // one picture with words, not a hundred marks
      if (svg) svg.style.cssText = "max-width:100%;height:auto";  // never wider than its place
      svg?.setAttribute("role", "img");
      svg?.setAttribute("aria-label", summary);
    } finally {  // the words stand even where the chart cannot be drawn
      words.textContent = summary;
      el.dataset.revision = String(revision);
      if (more.open) fill();
    }
    name();
  };
  const show = async () => {
    stale = true;
    if (busy) return;  // the loop below takes the newest state when it comes round
    busy = true;
    try {
      while (stale && !gone) { stale = false; await draw(); }
    } finally { busy = false; }
  };
  // ipywidgets' sliders have a label and a value beside them, but neither by name or by role
  const name = () => {
    const handles = [...(el.closest(".econ-panel")?.querySelectorAll(".noUi-handle") || [])];
    for (const handle of handles) {
      const box = handle.closest(".widget-inline-hbox");
      const text = (part) => box?.querySelector(part)?.textContent || "";
      handle.setAttribute("aria-label", text(".widget-label"));
      handle.setAttribute("aria-valuetext", text(".widget-readout"));
    }
    return handles.length > 0;
  };
  model.on("change:revision", show);
  await show();
  const place = new ResizeObserver(() => {  // another width is another layout
    if (Math.abs(box.clientWidth - room) < 24 || box.clientWidth > WIDEST && room > WIDEST) return;
    drawn = undefined;
    show();
  });
  place.observe(el);
  let tries = 40;  // the controls may be drawn after the chart
  const timer = setInterval(() => { name(); if (--tries < 1) clearInterval(timer); }, 250);
  return () => { gone = true; clearInterval(timer); place.disconnect();
                 model.off("change:revision", show); api?.finalize(); };
}
export default { render };
