"use strict";
// Shows what the page was given; every statistic was computed before it was written.

const data = JSON.parse(document.getElementById("data").textContent);
const { names, cells, images, sprite, train, pairs, verdicts } = data;
const VERDICT_CLASS = ["suspect", "ambiguous", "error", "untold"];
const countOf = new Map(cells.map(([t, p, count, share]) => [`${t},${p}`, { count, share }]));
const PAGE = 500, MOST_LISTED = 200, STRIP = 8;
const byId = (id) => document.getElementById(id);
const view = byId("view"), thumbs = byId("thumbs"), loupe = byId("loupe");

// --- Small makers -----------------------------------------------------------------------------

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const term = (index) => make("bdi", { class: "name", title: names[index] }, names[index]);
const isolated = (index) => `\u2068${names[index]}\u2069`;  // A name inside an attribute.
const percent = (parts) => `${(parts / 100).toFixed(1)}%`;
const number = (count) => count.toLocaleString("en");
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
const cellLink = (t, p, ...text) => make("a", { href: `#true=${t}&pred=${p}` }, ...text);
const say = (text) => { byId("status").textContent = text; };

// --- What a reader's browser keeps, where it keeps anything -------------------------------------

function recall(name) {
  try { return localStorage.getItem(`hardpairs ${name}`); } catch { return null; }
}

function remember(name, value) {
  try { localStorage.setItem(`hardpairs ${name}`, value); } catch { /* Kept while open. */ }
}

// --- Images -----------------------------------------------------------------------------------

function sheetOf(given) {
  if (!given) return null;
  const image = new Image();
  const ready = new Promise((resolve) => { image.onload = resolve; });
  image.src = given.url;
  return { ...given, image, ready };
}

const sheet = sheetOf(sprite);
let trainSheet = null;  // Decoded when first needed.

function drawn(from, place, attributes) {
  const { side, columns, image, ready } = from;
  const canvas = make("canvas", { width: side, height: side, ...attributes });
  const x = (place % columns) * side, y = Math.floor(place / columns) * side;
  ready.then(() => canvas.getContext("2d").drawImage(image, x, y, side, side, 0, 0, side, side));
  return canvas;
}

function picture(k) {
  const label = `Image ${images.id[k]}, labelled ${isolated(images.true[k])}`;
  return drawn(sheet, k, { role: "img", "aria-label": label });
}

const isMistake = (k) => images.true[k] !== images.predicted[k];
const confidence = (k) => images.probabilities[k][1] ?? 0;
const sure = (k) => (images.probabilities[k].length ? percent(confidence(k)) : "");
const everyImage = [...images.row.keys()];
const chosen = (keep) => everyImage.filter(keep);
const inCell = (t, p) => (k) => images.true[k] === t && images.predicted[k] === p;
const evidenceOf = (k) => images.evidence[k].map((at) => data.sentences[at]);
const verdictClass = (k) => VERDICT_CLASS[images.verdict[k]] ?? "";
