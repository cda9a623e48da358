// Shows what the page was given; every statistic was computed before it was written.

const data = JSON.parse(byId("data").textContent);
const { names, images, sprite, verdicts } = data;

document.documentElement.classList.add("scripted");  // What does nothing without it appears.

const term = (index, most = Infinity) =>
  make("bdi", { class: "name", title: names[index] }, cut(names[index], most));
const isolated = (text) => `\u2068${text}\u2069`;  // A name inside an attribute.
// Not toLocaleString, whose first call takes a tenth of the time that the page takes to open.
const number = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
const plural = (count, noun, many = `${noun}s`) => `${number(count)} ${count === 1 ? noun : many}`;

const { compare: asNames } = new Intl.Collator("en", { numeric: true });  // localeCompare makes one each time.

function sentence(text) {  // Its names, which Python isolated, break in two only where they are long.
  return text.split(/\u2068(.*?)\u2069/u).map((part, at) =>
    (at % 2 ? make("bdi", { class: part.length < 25 ? "whole" : null }, part) : part));
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

function drawn(from, place, attributes) {
  const { side, columns, image, ready } = from;
  const canvas = make("canvas", { width: side, height: side, ...attributes });
  const x = (place % columns) * side, y = Math.floor(place / columns) * side;
  ready.then(() => canvas.getContext("2d").drawImage(image, x, y, side, side, 0, 0, side, side));
  return canvas;
}

function idOf(k) {
  const id = make("bdi", {}, images.id[k]);
  if (!data.link) return id;
  const path = images.id[k].split("/").map(encodeURIComponent).join("/");
  return make("a", { href: data.link + path, target: "_blank", rel: "noopener" }, id);
}

function barTable(caption) {
  return make("table", { class: "bars" }, make("caption", {}, make("bdi", {}, caption),
    "; blue: the label"));
}

function barRow(k, index, share, text, key = null) {
  const bar = make("span", { class: index === images.true[k] ? "bar-true" : "bar-other" });
  bar.style.inlineSize = `${share}%`;
  return make("tr", {}, make("th", { scope: "row" }, term(index, BESIDE_A_BAR)),
    make("td", { class: "track", "aria-hidden": "true" }, bar),
    make("td", { class: "number", "data-key": key }, text));
}

function barsOf(probabilities, k, caption) {
  const table = barTable(caption);
  for (let at = 0; at < probabilities.length; at += 2) {
    const [index, parts] = [probabilities[at], probabilities[at + 1]];
    table.append(barRow(k, index, parts / 100, percent(parts / 10000),
      images.row ? `predictions.npz: probabilities[${images.row[k]}][${index}]` : null));
  }
  return table;
}

// --- Moving with the keyboard -----------------------------------------------------------------------

function step(event, position, count, columns) {
  if (event.ctrlKey || event.metaKey || event.altKey) return NaN;
  const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  if (event.key === "Home") return 0;
  if (event.key === "End") return count - 1;
  const target = position + (moves[event.key] ?? NaN);
  return target >= 0 && target < count ? target : NaN;
}

function columnsOf(elements) {  // How many stand in the first line.
  const wrapped = elements.findIndex((each) => each.offsetTop > elements[0].offsetTop);
  return wrapped < 0 ? elements.length : wrapped;
}

function walkLinks(event) {
  const links = [...event.currentTarget.querySelectorAll("a")];
  const target = step(event, links.indexOf(event.target.closest("a")), links.length, links.length);
  if (Number.isNaN(target)) return;
  event.preventDefault();
  for (const [index, link] of links.entries()) link.tabIndex = index === target ? 0 : -1;
  links[target].focus();
}

function makeOneStop(box) {  // For the Tab key, of all its links.
  for (const link of [...box.querySelectorAll("a")].slice(1)) link.tabIndex = -1;
  box.addEventListener("keydown", walkLinks);
}

function fillStrip(strip, links) {
  strip.append(...links);
  makeOneStop(strip);
}

// --- Tables: walking with the keyboard, sorting ------------------------------------------------------

const focusable = (cell) => cell.querySelector("a, button") ?? cell;

function walkTable(table) {
  table.setAttribute("role", "grid");
  for (const cell of table.querySelectorAll("tbody th, tbody td")) focusable(cell).tabIndex = -1;
  const first = table.querySelector("tbody th a, tbody td");
  if (first) focusable(first.closest("th, td")).tabIndex = 0;
}

document.addEventListener("keydown", (event) => {
  const cell = event.target.closest("table.grid tbody th, table.grid tbody td");
  if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = cell.parentElement, rows = row.parentElement.rows;
  const down = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
  const across = { ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0;
  const nextRow = rows[row.sectionRowIndex + down];
  let target = nextRow?.cells[cell.cellIndex + across];
  if (event.key === "Home") target = row.cells[0];
  else if (event.key === "End") target = row.cells[row.cells.length - 1];
  else if (!down && !across) return;
  event.preventDefault();
  if (!target || target.parentElement.hidden) return;
  focusable(cell).tabIndex = -1;
  focusable(target).tabIndex = 0;
  focusable(target).focus();
});

function sortTable(heading) {
  const body = heading.closest("table").tBodies[0], column = heading.cellIndex;
  const isText = !heading.classList.contains("number");
  const up = heading.getAttribute("aria-sort") === "descending"
    || (heading.getAttribute("aria-sort") === null && isText);
  for (const sibling of heading.parentElement.cells) sibling.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", up ? "ascending" : "descending");
  const text = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
  const value = (row) => {
    const found = parseFloat(text(row).replaceAll(",", ""));
    return Number.isNaN(found) ? -Infinity : found;
  };
  const key = isText ? text : value, compare = isText ? asNames : (a, b) => a - b;
  const rows = [...body.rows].map((row) => [key(row), row]);
  rows.sort(([a], [b]) => (up ? compare(a, b) : compare(b, a)));
  for (const [at, [, row]] of rows.entries()) row.hidden = at >= (body.dataset.most ?? Infinity);
  body.append(...rows.map(([, row]) => row));
  const stop = body.querySelector('[tabindex="0"]');  // For the Tab key, where it can be seen.
  if (!stop?.closest("tr").hidden) return;
  stop.tabIndex = -1;
  focusable(body.rows[0].cells[0]).tabIndex = 0;
}

for (const heading of document.querySelectorAll(".sortable thead th")) {
  heading.querySelector("button")?.addEventListener("click", () => sortTable(heading));
}

// --- Switches: what the cells of a matrix show ------------------------------------------------------

for (const button of document.querySelectorAll("[data-set]")) {
  button.addEventListener("click", () => {
    const matrix = button.closest(".matrix");
    matrix.dataset.mode = button.dataset.set;
    const key = matrix.querySelector(".legend.key");
    if (key) key.hidden = button.dataset.set !== "difference";
    for (const sibling of button.parentElement.querySelectorAll("[data-set]")) {
      sibling.setAttribute("aria-pressed", String(sibling === button));
    }
  });
}
