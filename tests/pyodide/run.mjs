// Pyodide in node: node run.mjs CORE ARCHIVE NEEDS REPO NOTEBOOK…  prints a line of JSON a cell.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [core, archive, needs, repo, ...notebooks] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${core}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: `${core}/` });
await python.loadPackage(needs.split(","), { messageCallback: () => {} });
python.FS.writeFile("/python.zip", readFileSync(archive));
python.FS.mkdirTree("/repo");
python.FS.mount(python.FS.filesystems.NODEFS, { root: repo }, "/repo");
try {
  await python.runPythonAsync(python.FS.readFile("/repo/tests/pyodide/cells.py", { encoding: "utf8" }));
  python.globals.get("run")(python.toPy(notebooks));
} catch (error) { // its stack shows a megabyte of the core's own script
  console.error(error.message);
  process.exit(1);
}
