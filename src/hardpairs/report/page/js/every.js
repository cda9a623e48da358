"use strict";
// What every page has, those of `hardpairs serve` too.

const byId = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const CAPTION = 16, BESIDE_A_BAR = 48;  // Letters of a name where there is little room.

function cut(name, most) {  // In the middle: many names differ in their last letters alone.
  const letters = [...name], half = Math.floor((most - 1) / 2);
  return letters.length <= most ? name : [...letters.slice(0, half), "…", ...letters.slice(-half)].join("");
}

function percent(share) {  // Which reads as none or all only where it is.
  if (share > 0 && share < 0.0005) return "<0.1%";
  return share < 1 && share >= 0.9995 ? ">99.9%" : `${(100 * share).toFixed(1)}%`;
}

// --- Light or dark ----------------------------------------------------------------------------------

byId("theme").addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  remember("theme", next);
});
