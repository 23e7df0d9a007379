// A picture of one or several frames. It never moves by itself: a reader plays it, steps through it
// by slider or arrow keys, or, with reduced motion, only steps.
const STYLE = `
.econ-picture { font: 14px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 8px 0; }
.econ-picture figure { margin: 0; }
.econ-picture figcaption { font-weight: 600; font-size: 15px; }
.econ-picture svg { width: 100%; height: auto; display: block; }
.econ-picture p { margin: 4px 0; min-height: 1.5em; }
.econ-picture label { display: inline-flex; gap: .6em; align-items: center; }
.econ-picture input { width: min(60vw, 22rem); accent-color: #0072b2; }
.econ-picture button { font: inherit; color: inherit; background: transparent; cursor: pointer;
  border: 1px solid currentColor; border-radius: 4px; padding: 2px 10px; margin-right: 10px; }
.econ-picture :is(button, input):focus-visible { outline: 3px solid #3f97dd; outline-offset: 1px; }
.econ-picture details { font-size: 13px; }
.econ-picture td, .econ-picture th { padding: 0 8px; }`;

function render({ model, el }) {
  const spec = model.get("spec"), last = spec.frames.length - 1;
  // JupyterLab takes keys twice: by shortcuts, and on their way up through the notebook
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  el.addEventListener("keydown", (event) => event.stopPropagation());
  el.classList.add("econ-picture");
  el.dataset.picture = spec.id;
  const make = (tag, parent, text = "", more = {}) => {
    const node = Object.assign(document.createElement(tag), more);
    if (text) node.textContent = text;
    return parent.appendChild(node);
  };
  if (!document.getElementById("econ-picture-style"))
    make("style", document.head, STYLE, { id: "econ-picture-style" });
  const figure = make("figure", el);
  make("figcaption", figure, spec.question);
  const box = make("div", figure);
  const controls = make("div", el);
  const words = make("p", el);
  words.setAttribute("role", "status");
  let at = spec.still, timer = null;

  const draw = () => {
    box.innerHTML = `<svg viewBox="0 0 720 ${spec.height}" role="img">${spec.frames[at]}</svg>`;
    box.firstChild.setAttribute("aria-label", spec.words[at]);
    words.textContent = spec.words[at];
    el.dataset.frame = String(at);
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    words.setAttribute("aria-live", "polite");
  };
  stop();
  draw();
  if (last > 0) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const play = calm ? null : make("button", controls, "Play");
    const label = make("label", controls, `${spec.step} `);
    const range = make("input", label, "", { type: "range", min: 0, max: last, step: 1, value: at });
    const show = (frame) => {
      at = frame;
      range.value = at;
      range.setAttribute("aria-valuetext", `${at + 1} of ${last + 1}`);
      draw();
    };
    const pause = () => { stop(); if (play) play.textContent = "Play"; };
    range.addEventListener("input", () => { pause(); show(Number(range.value)); });
    play?.addEventListener("click", () => {
      if (timer !== null) { pause(); return; }
      if (at === last) show(0);
      words.setAttribute("aria-live", "off");  // a listener hears the state it stops at
      play.textContent = "Pause";
      timer = setInterval(() => { if (at < last) show(at + 1); else { pause(); draw(); } },
                          spec.interval);
    });
    show(at);
  }
  make("div", el).innerHTML = spec.table;
  return () => clearInterval(timer);
}
export default { render };
