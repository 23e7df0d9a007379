// A button on each code cell that copies it; what starts with >>> is copied without its prompts.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  if (!navigator.clipboard) return;  // a page opened from a disk may not have one
  for (const box of document.querySelectorAll("div.highlight")) {
    const button = box.appendChild(document.createElement("button"));
    button.className = "econ-copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const lines = box.querySelector("pre").textContent.split("\n");
      const prompts = lines.filter((line) => /^(>>>|\.\.\.)( |$)/.test(line));
      const code = prompts.length ? prompts.map((line) => line.slice(4)) : lines;
      await navigator.clipboard.writeText(code.join("\n"));
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
});
