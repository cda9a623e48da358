"use strict";
// In a page's head, before anything is drawn: a dark page would else be light until its data is read.

function recall(name) {  // What a reader's browser keeps, where it keeps anything.
  try { return localStorage.getItem(`hardpairs ${name}`); } catch { return null; }
}

function remember(name, value) {
  try { localStorage.setItem(`hardpairs ${name}`, value); } catch { /* Kept while open. */ }
}

if (["light", "dark"].includes(recall("theme"))) {
  document.documentElement.dataset.theme = recall("theme");
}
