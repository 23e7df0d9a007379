// Python in a page: Pyodide in a worker, so that the page never stands still.
// Gets {core, first, later, archive, code, cells} once, then {run: id, source} or {move: id, values}.
"use strict";
let python, ready, optional;

async function begin({ core, first, later, archive, code, cells }) {
  const say = (step) => postMessage({ step });
  const files = Promise.all([  // on their way while Python starts
    fetch(archive).then((answer) => answer.arrayBuffer()),
    fetch(code).then((answer) => answer.text()),
  ]);
  optional = later;
  say("Python, numpy, pandas");
  importScripts(`${core}pyodide.js`);
  python = await loadPyodide({ indexURL: core, packages: first });
  say("the course");
  const [zip, text] = await files;
  python.FS.writeFile("/python.zip", new Uint8Array(zip));
  await python.runPythonAsync(
    "import sys, zipfile\nzipfile.ZipFile('/python.zip').extractall('/site')\n" +
    "sys.path.insert(0, '/site')");
  await python.runPythonAsync(text);
  python.globals.get("start")(JSON.stringify(cells));
}

onmessage = async ({ data }) => {
  try {
    if (data.core) {
      await (ready = begin(data));
      return postMessage({ ready: true });
    }
    await ready;
    const [call, ...words] = "run" in data
      ? ["run", data.run, data.source ?? null] : ["move", data.move, JSON.stringify(data.values)];
    const answer = () => JSON.parse(python.globals.get(call)(...words));
    let found = answer();
    for (let wanted = found.missing; optional.includes(wanted); wanted = found.missing) {
      optional = optional.filter((name) => name !== wanted);
      await python.loadPackage(wanted, { messageCallback: () => {} });
      found = answer();
    }
    postMessage({ ask: data.ask, answer: found });
  } catch (error) {
    postMessage({ ask: data.ask, failed: String(error.message ?? error).trim().split("\n").pop() });
  }
};
