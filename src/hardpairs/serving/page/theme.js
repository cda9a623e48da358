"use strict";
const byId = (id) => document.getElementById(id);

function remember(next) {
  document.documentElement.dataset.theme = next;
  try { localStorage.setItem("hardpairs theme", next); } catch { /* Kept while open. */ }
}

try {
  const kept = localStorage.getItem("hardpairs theme");
  if (["light", "dark"].includes(kept)) document.documentElement.dataset.theme = kept;
} catch { /* Nothing is kept. */ }

byId("theme").addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  remember(now === "dark" ? "light" : "dark");
});
