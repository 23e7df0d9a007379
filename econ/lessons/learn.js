// Questions on a page: a prediction that locks, its reveal, an exercise, a solution on demand.
// Every verdict was computed in Python and stands in the spec: here it is only looked up. So the same
// script serves a notebook, where Python stores the record, and a page without a kernel.
const STYLE = `
.econ-learn { font: 14px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 6px 0 10px;
  padding: 8px 14px; border: 1px solid #8888; border-left: 4px solid #0072b2; border-radius: 4px; }
.econ-learn p { margin: 4px 0; }
.econ-learn fieldset { border: 0; margin: 4px 0; padding: 0; }
.econ-learn legend { padding: 0; }
.econ-learn label { display: block; padding: 3px 0; }
.econ-learn .econ-code { font-family: monospace; white-space: pre-wrap; }
.econ-learn button { font: inherit; color: inherit; background: transparent; cursor: pointer;
  border: 1px solid currentColor; border-radius: 4px; padding: 2px 10px; margin: 4px 6px 4px 0; }
.econ-learn button:disabled { opacity: .5; cursor: default; }
.econ-learn :is(button, input, textarea):focus-visible { outline: 3px solid #3f97dd; outline-offset: 1px; }
.econ-learn input[type=range] { width: min(100%, 26rem); accent-color: #0072b2; vertical-align: middle; }
.econ-learn input[type=text], .econ-learn textarea { font: inherit; color: inherit; padding: 2px 6px;
  background: transparent; border: 1px solid currentColor; border-radius: 4px; }
.econ-learn textarea { display: block; width: 100%; box-sizing: border-box; min-height: 4.5em; }
.econ-learn pre { white-space: pre-wrap; margin: 4px 0; font-size: 13px; }
.econ-learn ol { margin: 4px 0; padding-left: 1.6em; }
.econ-learn [role=status] { min-height: 1.5em; }`;
const NUMBER = /^\s*(?:about|roughly|approx\.?|ca\.?|[~≈])?\s*(\$?)\s*([-+−]?(?:\d[\d,_ ]*)?\.?\d+(?:e[-+]?\d+)?)\s*(.*)$/i;
const DECIMAL_COMMA = /^[-+]?\d+,(\d{1,2}|\d{4,})$/;
const ENOUGH_WORDS = 8;  // of a justification

function parse(text, spec) {
  const match = NUMBER.exec(text);
  if (!match) return null;
  if (match[1] && !("USD" in spec.units)) return null;  // dollars of what is no price
  const digits = match[2].trim().replace("−", "-");
  const value = Number(DECIMAL_COMMA.test(digits) ? digits.replace(",", ".")
    : digits.replace(/[,_ ]/g, ""));
  const unit = match[3].trim();
  if (!unit) return value;
  const name = spec.spellings[unit] ?? spec.spellings[unit.toLowerCase()] ?? unit;
  return name in spec.units ? value * spec.units[name] : null;
}

function render({ model, el }) {
  const spec = model.get("spec");
  // JupyterLab takes keys twice: by shortcuts, and on their way up through the notebook
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  el.addEventListener("keydown", (event) => event.stopPropagation());
  el.classList.add("econ-learn");
  el.dataset.question = spec.id;
  const make = (tag, parent, text = "", more = {}) => {
    const node = Object.assign(document.createElement(tag), more);
    if (text) node.textContent = text;
    return parent.appendChild(node);
  };
  if (!document.getElementById("econ-learn-style"))
    make("style", document.head, STYLE, { id: "econ-learn-style" });
  const t = (key, values = {}) =>  // words of the interface, their places filled
    spec.texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const record = () => model.get("record") || {};
  const count = (name) => record()[name] || 0;
  const store = (change) => {
    model.set("record", { ...record(), ...change });
    model.save_changes();
  };
  const head = make("div", el);
  head.innerHTML = spec.prompt;
  const form = make("div", el);
  const say = (words, html = false) => {
    if (html) status.innerHTML = words; else status.textContent = words;
  };
  let read = () => null;  // [key, verdict] of what the controls say, or words that refuse it

  const choose = (keys, labels, code) => {
    const set = make("fieldset", form);
    make("legend", set, t("choose"));
    const name = `${spec.id}-${Math.random().toString(36).slice(2)}`;
    const buttons = keys.map((key, i) => {
      const label = make("label", set);
      const input = make("input", label, "", { type: "radio", name, value: key });
      make("span", label, " " + labels[i], { className: code ? "econ-code" : "" });
      return input;
    });
    return () => buttons.find((b) => b.checked)?.value ?? null;
  };

  if (spec.mode === "reveal") {
    const show = () => {
      const { key, words, skipped } = record();
      say(words ?? (skipped ? spec.skipped : spec.verdicts[key]) ?? spec.waiting, true);
    };
    var status = make("div", el, "", { role: "status" });
    status.setAttribute("aria-live", "polite");
    show();
    model.on("change:record", show);
    return () => model.off("change:record", show);
  }

  if (spec.mode === "solution") {
    const button = make("button", form, t("solution"));
    const body = make("pre", form, "", { tabIndex: 0 });
    body.hidden = true;
    button.addEventListener("click", () => {
      body.textContent = spec.solution;
      body.hidden = false;
      button.disabled = true;
      store({ solutions: count("solutions") + 1 });
    });
    return undefined;
  }

  if (spec.kind === "number" && spec.stops) {
    const label = make("label", form, t("prediction") + " ");
    const range = make("input", label, "", { type: "range", min: 0, max: spec.stops.length - 1,
                                             step: 1, value: spec.start });
    const output = make("span", label);
    const shown = () => {
      output.textContent = ` ${spec.stops[range.value]} ${spec.unit}`;
      range.setAttribute("aria-valuetext", output.textContent.trim());
    };
    range.addEventListener("input", shown);
    shown();
    read = () => [range.value, null];
  } else if (spec.kind === "number") {
    const label = make("label", form, t("answer") + " ");
    const input = make("input", label, "", { type: "text", size: 16, autocomplete: "off" });
    make("span", label, ` ${spec.unit}`);
    input.addEventListener("keydown", (e) => { if (e.key === "Enter") check(); });
    read = () => {
      const value = parse(input.value, spec);
      if (value === null || !Number.isFinite(value)) return spec.refusal;
      const [, , ...verdict] = spec.zones.find(([low, high]) =>
        (low === null || low <= value) && (high === null || value <= high));
      return [input.value.trim(), verdict];
    };
  } else if (spec.kind === "order") {
    const list = make("ol", form);
    let keys = spec.items.map(([key]) => key);
    const labels = Object.fromEntries(spec.items);
    const move = (i, step) => {
      [keys[i], keys[i + step]] = [keys[i + step], keys[i]];
      draw();
      const name = t(step < 0 ? "up" : "down", { item: labels[keys[i + step]] });
      const button = [...list.querySelectorAll("button")].find((b) => b.ariaLabel === name);
      (button?.disabled ? list.querySelector("button:not(:disabled)") : button)?.focus();
    };
    const draw = () => {
      list.replaceChildren();
      keys.forEach((key, i) => {
        const row = make("li", list, labels[key] + " ");
        for (const [step, sign] of [[-1, "↑"], [1, "↓"]]) {
          const button = make("button", row, sign);
          button.ariaLabel = t(step < 0 ? "up" : "down", { item: labels[key] });
          button.disabled = !(i + step in keys);
          button.addEventListener("click", () => move(i, step));
        }
      });
    };
    draw();
    read = () => [keys.join(" "), spec.orders[keys.join(" ")]];
  } else {
    const value = choose(spec.options.map(([k]) => k), spec.options.map(([, l]) => l), spec.code);
    let why;
    if (spec.kind === "justify") {
      const label = make("label", form, t("because"));
      why = make("textarea", label);
    }
    read = () => {
      const key = value();
      if (key === null) return t("choose_first");
      if (why && why.value.trim().split(/\s+/).length < ENOUGH_WORDS)
        return t("enough", { n: ENOUGH_WORDS });
      return [key, spec.choices?.[key]];
    };
  }

  const buttons = make("div", form);
  const extra = make("div", el);
  var status = make("div", el, "", { role: "status" });
  status.setAttribute("aria-live", "polite");

  if (spec.mode === "predict") {
    const lock = make("button", buttons, t("lock"));
    const skip = make("button", buttons, t("skip"));
    const show = () => {
      const { key, said, skipped } = record();
      const done = skipped || said !== undefined;
      for (const control of form.querySelectorAll("button, input")) control.disabled = done;
      if (spec.stops && key !== undefined) {
        const range = form.querySelector("input");
        range.value = key;
        range.dispatchEvent(new Event("input"));
      }
      say(skipped ? t("skipped")
        : done ? t("locked", { said: spec.labels?.[key] ?? said }) : "");
    };
    lock.addEventListener("click", () => {
      const found = read();
      if (typeof found === "string") { say(found); return; }
      const [key] = found;
      store({ key, said: spec.values ? spec.values[key] : key });
      show();
    });
    skip.addEventListener("click", () => { store({ skipped: true }); show(); });
    show();
    model.on("change:record", show);
    return () => model.off("change:record", show);
  }

  const check = () => {
    const found = read();
    if (typeof found === "string") { say(found); return; }
    const [answer, [mark, words, idea]] = found;
    if (mark === "refused") { say(`${spec.id}: ${words}`); return; }
    const right = mark === "right", old = record();
    const change = { solved: Boolean(old.solved) || right, last: answer };
    if (old.last !== answer) change.attempts = count("attempts") + 1;
    if (right && !old.solved) change.aided = count("solutions") > 0;
    if (idea && !(old.ideas || []).includes(idea)) change.ideas = [...(old.ideas || []), idea];
    store(change);
    say(`${spec.id}: ${words}`);
    if (spec.rubric.length && !extra.childElementCount) rubric();
  };
  const rubric = () => {
    make("p", extra, t("tick"));
    const boxes = spec.rubric.map((point) => {
      const label = make("label", extra);
      const box = make("input", label, "", { type: "checkbox" });
      make("span", label, " " + point);
      box.addEventListener("change", () =>
        store({ rubric: boxes.filter((b) => b.checked).length }));
      return box;
    });
  };
  make("button", buttons, t("check")).addEventListener("click", check);
  if (spec.hints.length) {
    const more = make("button", buttons, t("hint"));
    const list = make("ol", extra);
    more.addEventListener("click", () => {
      const n = list.childElementCount;
      make("li", list).innerHTML = spec.hints[n];
      store({ hints: Math.max(count("hints"), n + 1) });
      more.textContent = t(n + 1 === spec.hints.length - 1 ? "twin" : "next_hint");
      if (n + 1 === spec.hints.length) more.disabled = true;
    });
  }
  if (record().solved) say(t("solved", { id: spec.id }));
  return undefined;
}
export default { render };
