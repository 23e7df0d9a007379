// What a page watches while it is open: the size of a file before it is sent, and its kernel.
const EVERY_MS = 10_000;

// ipywidgets opens its file chooser with an input that is in no document: only its click is seen
let pressed = null;
const watched = new Set();
function watchClicks() {
  if (window.econWatchesClicks) return;
  window.econWatchesClicks = true;
  document.addEventListener("click", (event) => { pressed = event.target; }, true);
  const usual = HTMLInputElement.prototype.click;
  HTMLInputElement.prototype.click = function () {
    const button = pressed?.closest?.(".econ-form .widget-upload");
    if (this.type === "file" && button && !this.econIsChecked) {
      this.econIsChecked = true;
      this.addEventListener("change", (event) => {
        for (const check of watched) check(event, this);
      }, true);
    }
    return usual.call(this);
  };
}

function kernelOfVoila() {
  const config = document.getElementById("jupyter-config-data");
  const values = config ? JSON.parse(config.textContent) : {};
  const id = values.kernelId;  // JupyterLab has a dialog of its own
  return id ? `${values.baseUrl ?? "/"}econ/alive/${id}` : "";
}

async function isGone(address) {
  try {
    return !(await fetch(address, { cache: "no-store" })).ok;
  } catch {
    return true;  // no server, no network
  }
}

export function render({ model }) {
  watchClicks();
  const check = (event, input) => {
    const large = [...input.files].find((file) => file.size > model.get("most_bytes"));
    if (!large) return;
    event.stopImmediatePropagation();
    const what = input.accept === ".json" ? "model" : "trace";
    model.set("refused", [what, large.name, large.size, Date.now()]);
    model.save_changes();
    input.value = "";
  };
  watched.add(check);

  const address = kernelOfVoila();
  if (address) document.getElementById("rendered_cells")?.setAttribute("role", "main");  // Voilà has none
  let misses = 0;
  const timer = address && setInterval(async () => {
    misses = (await isGone(address)) ? misses + 1 : 0;
    if (misses < 2) return;
    clearInterval(timer);
    const banner = document.createElement("div");
    banner.setAttribute("role", "alert");
    banner.className = "econ-lost";
    banner.style.cssText =
      "position:fixed;inset:0 0 auto 0;z-index:999;padding:12px;background:#b3261e;color:#fff";
    banner.textContent =
      "This page has lost its Python: nothing you press is computed any more. What stands below " +
      "was right when it was written; reload the page to go on (files must be uploaded again).";
    document.body.append(banner);  // the widget's own place goes with its kernel
  }, EVERY_MS);
  return () => {
    watched.delete(check);
    if (timer) clearInterval(timer);
  };
}
