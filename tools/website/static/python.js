// The page's own Python: loaded when a reader asks for it, then every slider has all its stops and
// every cell can be changed and run.
"use strict";

window.econPython = (() => {
  const page = document.currentScript.dataset;  // core, first, later, megabytes, more, notebook, root
  const waiting = new Map();
  let worker, ready, asked = 0, lesson = {};  // lesson: cells as the notebook has them
  const host = () => new URL(page.core, location.href).host;
  const weight = `about ${page.megabytes} MB from ${host()} (${page.more} more where a cell needs scipy)`;
  const can = location.protocol !== "file:" && typeof WebAssembly === "object" && !!window.Worker;
  const cannot = location.protocol === "file:"
    ? "Every stop needs this site from a server: python -m http.server in its folder."
    : "Every stop needs a browser with WebAssembly; the stops here work in any.";

  const kept = {  // what this browser remembers; one that stores nothing still works
    get: (name) => { try { return localStorage.getItem(`econ-${name}`); } catch { return null; } },
    set: (name, words) => {
      try {
        if (words === null) localStorage.removeItem(`econ-${name}`);
        else localStorage.setItem(`econ-${name}`, words);
      } catch { /* not stored */ }
    },
  };
  // once a reader has asked for Python, it starts at the first touch of a panel
  const byItself = () => can && kept.get("python") === "yes" && !navigator.connection?.saveData;
  const never = () => kept.set("python", null);

  function start(say) {
    ready ??= (async () => {
      const book = await (await fetch(`${page.root}${page.notebook}.ipynb`)).json();
      const code = book.cells.filter((c) => c.cell_type === "code");
      const cells = lesson = Object.fromEntries(code.map((c) => [c.id, [c.source].flat().join("")]));
      const at = (name) => new URL(`${page.root}_static/${name}`, location.href).href;
      worker = new Worker(at("worker.js"));
      await new Promise((done, refuse) => {
        worker.onerror = (event) => refuse(new Error(event.message));
        worker.onmessage = ({ data }) => {
          if (data.step) say(`Loading ${data.step} …`);
          else if (data.ready) done();
          else refuse(new Error(data.failed));
        };
        const core = new URL(page.core, location.href).href;
        worker.postMessage({ core, first: page.first.split(" "), later: page.later.split(" "), cells,
                             archive: at("python.zip"), code: at("cells.py") });
      });
      worker.onmessage = ({ data }) => {
        const { done, refuse } = waiting.get(data.ask);
        waiting.delete(data.ask);
        if (data.failed) refuse(new Error(data.failed));
        else done(data.answer);
      };
      kept.set("python", "yes");
      document.querySelectorAll(".econ-cell").forEach(editable);
    })();
    ready.catch(() => { ready = undefined; });
    return ready;
  }

  function ask(words) {
    return new Promise((done, refuse) => {
      waiting.set(++asked, { done, refuse });
      worker.postMessage({ ask: asked, ...words });
    });
  }

  function drawn(el) {  // a chart that follows states, its specification rebuilt only when it changed
    const listeners = {};
    let state = null, revision = 0;
    return (next) => {
      revision += 1;
      const same = state && JSON.stringify(state.spec) === JSON.stringify(next.spec);
      state = { ...next, spec: same ? state.spec : next.spec, revision };
      if (revision > 1) return listeners["change:revision"]?.();
      const model = { get: (name) => state[name], on: (e, f) => { listeners[e] = f; }, off() {} };
      window.econLive.render({ model, el });
    };
  }

  function editable(mark) {  // a cell's code can be changed and run; what it says stands below it
    const box = mark.nextElementSibling, pre = box.querySelector("pre");
    const id = mark.dataset.cell, place = `cell-${page.notebook}-${id}`, first = pre.innerHTML;
    const bar = document.createElement("p"), out = document.createElement("div");
    pre.contentEditable = "plaintext-only";
    for (const [name, words] of [["role", "textbox"], ["aria-multiline", "true"],
                                 ["aria-label", "Code, can be changed"], ["spellcheck", "false"]])
      pre.setAttribute(name, words);
    bar.className = "econ-run";
    out.className = "econ-live-output";
    out.setAttribute("aria-live", "polite");
    const button = bar.appendChild(document.createElement("button"));
    button.textContent = "Run";
    button.title = "Shift + Enter";
    const back = bar.appendChild(document.createElement("button"));
    back.textContent = "Back to the lesson's";
    const mine = kept.get(place);
    back.hidden = mine === null || mine === lesson[id];
    if (!back.hidden) pre.textContent = mine;
    back.addEventListener("click", () => {
      pre.innerHTML = first;
      kept.set(place, null);
      back.hidden = true;
      pre.focus();
    });
    pre.addEventListener("input", () => {
      kept.set(place, pre.innerText);
      back.hidden = false;
    });
    const run = async () => {
      button.disabled = true;
      bar.dataset.busy = "";
      try {
        show(out, id, await ask({ run: id, source: pre.innerText }));
      } catch (error) { out.textContent = error.message; }
      button.disabled = false;
      delete bar.dataset.busy;
    };
    button.addEventListener("click", run);
    pre.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.shiftKey) return;
      event.preventDefault();
      run();
    });
    box.after(bar, out);
  }

  function show(out, id, answer) {
    out.replaceChildren();
    const add = (tag, text, name = "") => {
      const el = out.appendChild(document.createElement(tag));
      if (text) el.textContent = text;
      el.className = name;
      return el;
    };
    if (Object.values(answer).every((part) => !part)) add("small", "ran; it shows nothing");
    if (answer.printed) add("pre", answer.printed, "econ-output");
    if (answer.error) add("pre", answer.error, "econ-output econ-error");
    if (answer.words) add("pre", answer.words, "econ-output");
    if (answer.html) add("div", "", "econ-output").innerHTML = answer.html;
    if (answer.controls) window.econControls(add("div"), answer.controls, mover(add("div"), id, answer));
    else if (answer.state) drawn(add("div"))(answer.state);
  }

  function mover(el, id, { controls, state }) {  // one move at a time; of those that wait, the last
    const draw = drawn(el);
    let busy = false, next = null;
    draw(state);
    const move = async (values) => {
      next = values;
      if (busy) return;
      busy = true;
      while (next) {
        const wanted = next;
        next = null;
        const answer = await ask({ move: id, values: wanted });
        if (answer.refused) draw({ ...state, rows: [], title: "", summary: answer.refused });
        else draw((state = answer));
      }
      busy = false;
    };
    return (at) => move(Object.fromEntries(controls.map((c, i) => [c.name, c.values[at[i]]])));
  }

  const nearest = (values, wanted) => {  // the place of a value, or of the number nearest to it
    const off = values.map((v) => (typeof v === "number" ? Math.abs(v - wanted) : v === wanted ? 0 : 1));
    return off.indexOf(Math.min(...off));
  };

  // a panel's precomputed stops become all stops; ``now`` says where the reader has moved them
  async function takeOver(form, chart, id, say, now) {
    say("Loading …");
    await start(say);
    say("Running the cells that this panel needs …");
    const answer = await ask({ run: id });
    if (answer.error) throw new Error(answer.error);
    const controls = answer.controls, values = now();
    const at = controls.map((c) => (c.name in values ? nearest(c.values, values[c.name]) : c.first));
    const moved = at.some((place, i) => place !== controls[i].first);
    controls.forEach((c, i) => { c.first = at[i]; });
    form.replaceChildren();
    chart.replaceChildren();
    const move = mover(chart, id, answer);
    window.econControls(form, controls, move);
    if (moved) move(at);
    say("Python in this page computes every stop.");
  }

  return { can, cannot, weight, byItself, never, takeOver };
})();
