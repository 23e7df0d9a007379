// Panels without a kernel: native controls choose a state of the grid that was computed when the
// site was built, and the same script that draws a live panel in JupyterLab draws it here.
"use strict";

function panelOf(box) {
  const { controls, specs, columns, rows: pool, states } = window.econGrids[box.dataset.grid];
  const at = controls.map((c) => c.first);
  const listeners = {};
  let revision = 0;

  const rowsOf = (packed) =>
    packed.map((k) => Object.fromEntries(columns.map((c, i) => [c, pool[k][i]])));
  let state = {};
  const load = () => {
    const [spec, title, summary, rows] = states[at.join(",")];
    // where the model refuses, the chart stands without rows and the words say why
    state = { spec: spec === null ? state.spec ?? specs[0] : specs[spec],
              title, summary, rows: rowsOf(rows), revision };
  };
  const model = {
    get: (name) => state[name],
    on: (event, callback) => { listeners[event] = callback; },
    off: (event) => { delete listeners[event]; },
  };
  const form = box.appendChild(document.createElement("div"));
  const chart = box.appendChild(document.createElement("div"));
  window.econControls(form, controls, (now) => {
    at.splice(0, at.length, ...now);
    revision += 1;
    load();
    listeners["change:revision"]?.();
  });
  load();
  window.econLive.render({ model, el: chart });
  const now = () => Object.fromEntries(controls.map((c, i) => [c.name, c.values[at[i]]]));
  if (window.econPython) offer(box, form, chart, now);
}

// Native controls: lists and sliders over the stops they are given; ``moved`` gets all places.
window.econControls = (form, controls, moved) => {
  const at = controls.map((c) => c.first);
  const choose = (i, value) => { at[i] = value; moved(at); };
  form.className = "econ-controls";
  controls.forEach((control, i) => {
    const label = form.appendChild(document.createElement("label"));
    label.appendChild(document.createElement("span")).textContent = control.label;
    if (control.kind === "fixed") {
      label.appendChild(document.createElement("output")).textContent = control.words[0];
      return;
    }
    if (control.kind === "list") {
      const list = label.appendChild(document.createElement("select"));
      control.words.forEach((words, k) => list.add(new Option(words, k, false, k === at[i])));
      list.addEventListener("change", () => choose(i, Number(list.value)));
      return;
    }
    const range = label.appendChild(document.createElement("input"));
    const shown = label.appendChild(document.createElement("output"));
    Object.assign(range, { type: "range", min: 0, max: control.words.length - 1, step: 1 });
    range.value = at[i];
    const say = () => {
      shown.textContent = control.words[range.value];
      range.setAttribute("aria-valuetext", control.words[range.value]);
    };
    range.addEventListener("input", () => { say(); choose(i, Number(range.value)); });
    say();
  });
};

// Beneath a panel: what its stops are, and Python in the page for all of them.
function offer(box, form, chart, now) {
  const line = box.appendChild(document.createElement("p"));
  line.className = "econ-python";
  const words = line.appendChild(document.createElement("span"));
  words.setAttribute("role", "status");
  if (!window.econPython.can) {
    words.textContent = window.econPython.cannot;
    return;
  }
  const { byItself, never, takeOver, weight } = window.econPython;
  const button = line.appendChild(document.createElement("button"));
  const note = line.appendChild(document.createElement("small"));
  const ask = () => {
    words.textContent = "The sliders stop at values that were computed beforehand. ";
    button.textContent = "Every stop: run Python in this page";
    note.textContent = ` loads ${weight}, once; nothing you type leaves this browser`;
  };
  let begun = false;
  const begin = async () => {
    if (begun) return;
    begun = button.disabled = true;
    try {
      await takeOver(form, chart, box.dataset.cell, (step) => { words.textContent = step; }, now);
      [...line.children].forEach((el) => el !== words && el.remove());
    } catch (error) {
      words.textContent = `Python could not start (${error.message}); these stops still work. `;
      begun = button.disabled = false;
    }
  };
  if (!byItself()) {
    ask();
    button.addEventListener("click", begin);
    return;
  }
  words.textContent = "Python starts in this page at your first move, as you asked before. ";
  button.textContent = "Not by itself";
  form.addEventListener("input", begin, { once: true });
  button.addEventListener("click", () => {
    never();
    form.removeEventListener("input", begin);
    ask();
    button.addEventListener("click", begin);
  }, { once: true });
}

document.addEventListener("DOMContentLoaded", () => {
  const later = new IntersectionObserver((seen) => {  // drawn as it comes into view
    for (const { target, isIntersecting } of seen) {
      if (!isIntersecting) continue;
      later.unobserve(target);
      panelOf(target);
    }
  }, { rootMargin: "400px" });
  document.querySelectorAll(".econ-panel[data-grid]").forEach((box) => later.observe(box));
});
