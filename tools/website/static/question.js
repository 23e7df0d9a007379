// Questions and pictures without a kernel: the scripts of the notebook, and a record that this
// browser keeps.
"use strict";

const econRecords = {};  // by question; a prediction and its reveal share one

function recordOf(id) {
  if (econRecords[id]) return econRecords[id];
  let value = {};
  try { value = JSON.parse(localStorage.getItem(`econ-${id}`)) || {}; } catch { /* not stored */ }
  econRecords[id] = { value, listeners: new Set() };
  return econRecords[id];
}

document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".econ-question")) {
    const spec = JSON.parse(box.querySelector("script").textContent);
    const record = recordOf(spec.id);
    const model = {
      get: (name) => (name === "spec" ? spec : record.value),
      set: (_, value) => { record.value = value; },
      on: (_, listener) => record.listeners.add(listener),
      off: (_, listener) => record.listeners.delete(listener),
      save_changes: () => {
        try { localStorage.setItem(`econ-${spec.id}`, JSON.stringify(record.value)); }
        catch { /* a browser that stores nothing still answers */ }
        record.listeners.forEach((listener) => listener());
      },
    };
    window.econLearn.render({ model, el: box.appendChild(document.createElement("div")) });
  }
  for (const box of document.querySelectorAll(".econ-moving")) {
    const spec = JSON.parse(box.querySelector("script").textContent);
    const el = box.appendChild(document.createElement("div"));
    window.econPicture.render({ model: { get: () => spec }, el });
  }
});
