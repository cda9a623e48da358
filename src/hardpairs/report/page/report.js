"use strict";
// Shows what the page was given; every statistic was computed before it was written.

const data = JSON.parse(document.getElementById("data").textContent);
const { names, cells, images, sprite, other } = data;
const countOf = new Map(cells.map(([t, p, count, share]) => [`${t},${p}`, { count, share }]));
const MOST_THUMBS = 500, MOST_LISTED = 200, STRIP = 8;
const view = document.getElementById("view");
const thumbs = document.getElementById("thumbs");
const loupe = document.getElementById("loupe");
let shown = null;

// --- Small makers -----------------------------------------------------------------------------

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const term = (index) => make("bdi", { class: "name", title: names[index] }, names[index]);
const isolated = (index) => `\u2068${names[index]}\u2069`;  // A name inside an attribute.
const percent = (parts) => `${(parts / 100).toFixed(1)}%`;
const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const cellLink = (t, p, ...text) => make("a", { href: `#true=${t}&pred=${p}` }, ...text);

// --- Images -----------------------------------------------------------------------------------

const sheet = new Image();
const sheetReady = sprite
  ? new Promise((resolve) => { sheet.onload = resolve; sheet.src = sprite.url; })
  : null;

function picture(k) {
  const { width, height, columns } = sprite;
  const label = `Image ${images.id[k]}, ${isolated(images.true[k])}`;
  const canvas = make("canvas", { width, height, role: "img", "aria-label": label });
  const x = (k % columns) * width, y = Math.floor(k / columns) * height;
  sheetReady.then(() => canvas.getContext("2d")
    .drawImage(sheet, x, y, width, height, 0, 0, width, height));
  return canvas;
}

const chosen = (keep) => [...images.row.keys()].filter(keep);

const isMistake = (k) => images.true[k] !== images.predicted[k];
const inCell = (t, p) => (k) => images.true[k] === t && images.predicted[k] === p;

// --- Views: what the address asks for -----------------------------------------------------------

function cellView(t, p) {
  const { count, share } = countOf.get(`${t},${p}`) ?? { count: 0, share: "0.0%" };
  const items = chosen(inCell(t, p));
  const title = t === p ? [term(t), " that are right"] : [term(t), " taken for ", term(p)];
  const order = t === p ? "closest calls" : "most confident";
  return { title, items, text: `${plural(count, "image")}, ${share} of the class. ${
    carried(count, items.length, order)}`, links: [] };
}

function carried(count, kept, order) {
  if (!count) return "";
  if (kept === count) return `The ${order} first.`;
  return `The ${kept} ${order} are here, ${(count - kept).toLocaleString("en")} are left out.`;
}

function classView(index) {
  const rows = cells.filter(([t, p]) => t === index && p !== index);
  const columns = cells.filter(([t, p]) => p === index && t !== index);
  const right = countOf.get(`${index},${index}`);
  const list = (heading, entries, partner) => {
    const lines = entries.map(([t, p, count, share]) => make("li", {},
      cellLink(t, p, term(partner === "p" ? p : t)), ` ${count} `,
      make("span", { class: "quiet" }, `${share} of `, term(t))));
    const none = make("li", { class: "quiet" }, "nothing");
    return make("div", {}, make("h3", {}, heading),
      make("ul", {}, ...(lines.length ? lines : [none])));
  };
  const rightLine = right
    ? [make("p", {}, cellLink(index, index, `${plural(right.count, "image")} right`),
      `, ${right.share} of the class`)]
    : [];
  const items = chosen((k) => images.true[k] === index && isMistake(k));
  const count = rows.reduce((sum, [, , more]) => sum + more, 0);
  return {
    title: [term(index)], items,
    text: `${plural(count, "mistake")}. ${carried(count, items.length, "most confident")}`,
    links: [...rightLine, list("It is taken for", rows, "p"),
      list("Taken for it", columns, "t")],
  };
}

function flipsView(kind) {
  const mended = kind === "mended";
  const otherRight = (k) => other.predicted[k] === images.true[k];
  const items = chosen((k) => isMistake(k) === mended && otherRight(k) === mended);
  const who = mended ? `Only ${other.name} is right` : `Only ${other.name} is wrong`;
  return { title: [who], items, text: `${plural(items.length, "image")} here.`, links: [] };
}

function requestedView(query) {
  const number = (name) => (/^\d+$/.test(query.get(name) ?? "") ? Number(query.get(name)) : -1);
  const isClass = (index) => index >= 0 && index < names.length;
  if (isClass(number("true")) && isClass(number("pred"))) {
    return cellView(number("true"), number("pred"));
  }
  if (isClass(number("class"))) return classView(number("class"));
  if (other && ["mended", "broken"].includes(query.get("flips"))) {
    return flipsView(query.get("flips"));
  }
  return null;
}

function followAddress() {
  const query = new URLSearchParams(location.hash.slice(1));
  const next = requestedView(query);
  if (!next) {
    if (view.open) view.close();
    return;
  }
  shown = next;
  query.delete("image");
  shown.address = query.toString();
  document.getElementById("view-title").replaceChildren(...shown.title);
  document.getElementById("view-text").textContent = shown.text;
  document.getElementById("view-links").replaceChildren(...shown.links);
  const most = shown.items.slice(0, MOST_THUMBS);
  thumbs.replaceChildren(...most.map(thumb));
  document.getElementById("download").disabled = !shown.items.length;
  const wanted = new URLSearchParams(location.hash.slice(1)).get("image");
  const found = most.findIndex((k) => String(images.id[k]) === wanted);
  const start = Math.max(found, 0);
  if (!view.open) view.showModal();
  view.scrollTop = 0;
  if (most.length) choose(start, found >= 0);
  else loupe.replaceChildren();
  if (most.length) thumbs.children[start].focus({ preventScroll: found < 0 });
  else document.getElementById("view-title").focus();
}

function thumb(k) {
  const label = `Image ${images.id[k]}, ${isolated(images.true[k])}, predicted ${
    isolated(images.predicted[k])} with ${percent(images.probabilities[k][1])}`;
  const face = sprite ? picture(k) : `${images.id[k]}`;
  const button = make("button", { type: "button", class: "thumb", tabindex: "-1",
    "aria-label": label, "data-key": `predictions.npz: row ${images.row[k]}, image ${images.id[k]}` },
  face, make("span", {}, percent(images.probabilities[k][1])));
  if (sprite) face.setAttribute("aria-hidden", "true");
  return button;
}

function choose(position, keepAddress = true) {
  const k = shown.items[position];
  for (const [index, button] of [...thumbs.children].entries()) {
    const current = index === position;
    button.tabIndex = current ? 0 : -1;
    button.setAttribute("aria-pressed", String(current));
  }
  loupe.replaceChildren(...details(k));
  if (keepAddress) history.replaceState(null, "", `#${shown.address}&image=${images.id[k]}`);
}

function details(k) {
  const parts = sprite ? [picture(k)] : [];
  const predicted = images.predicted[k];
  parts.push(make("h3", { "data-key": `predictions.npz: row ${images.row[k]}` },
    `Image ${images.id[k]}`));
  parts.push(make("p", {}, "labelled ", make("b", {}, term(images.true[k])), ", predicted ",
    make("b", {}, term(predicted))));
  if (images.verdict[k]) {
    parts.push(make("p", {}, make("span", { class: "tag" }, images.verdict[k])));
  }
  parts.push(bars(images.probabilities[k], k, other ? "this run" : ""));
  if (other) parts.push(bars(other.probabilities[k], k, other.name));
  const evidence = Object.entries(images.evidence[k] ?? {}).filter(([, value]) => value !== null);
  if (evidence.length) {
    parts.push(make("h4", {}, "Evidence"), make("dl", { class: "facts" },
      ...evidence.map(([name, value]) => make("div", {}, make("dt", {}, name.replaceAll("_", " ")),
        make("dd", {}, String(value))))));
  }
  return parts;
}

function bars(probabilities, k, caption) {
  const table = make("table", { class: "bars" });
  if (caption) table.append(make("caption", {}, make("bdi", {}, caption)));
  const shownClasses = probabilities.length / 2;
  if (shownClasses < names.length) {
    table.append(make("caption", {}, `the ${shownClasses} that matter of ${names.length} classes`));
  }
  for (let at = 0; at < probabilities.length; at += 2) {
    const [index, parts] = [probabilities[at], probabilities[at + 1]];
    const bar = make("span", { class: index === images.true[k] ? "bar-true" : "bar-other" });
    bar.style.inlineSize = `${parts / 100}%`;
    table.append(make("tr", {}, make("th", { scope: "row" }, term(index)),
      make("td", { class: "track", "aria-hidden": "true" }, bar), make("td", { class: "number",
        "data-key": `predictions.npz: probabilities[${images.row[k]}][${index}]` }, percent(parts))));
  }
  return table;
}

// --- Walking with the keyboard -------------------------------------------------------------------

function step(key, position, count, columns) {
  const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const target = position + (moves[key] ?? NaN);
  return target >= 0 && target < count ? target : NaN;
}

thumbs.addEventListener("click", (event) => {
  const button = event.target.closest(".thumb");
  if (button) choose([...thumbs.children].indexOf(button));
});

thumbs.addEventListener("keydown", (event) => {
  const all = [...thumbs.children];
  const position = all.indexOf(event.target);
  const wrapped = all.findIndex((button) => button.offsetTop > all[0].offsetTop);
  const target = step(event.key, position, all.length, wrapped < 0 ? all.length : wrapped);
  if (Number.isNaN(target)) return;
  event.preventDefault();
  choose(target);
  all[target].focus();
});

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
  if (!target) return;
  focusable(cell).tabIndex = -1;
  focusable(target).tabIndex = 0;
  focusable(target).focus();
});

// --- Sorting, searching, switching ---------------------------------------------------------------

function sortTable(heading) {
  const body = heading.closest("table").tBodies[0], column = heading.cellIndex;
  const up = heading.getAttribute("aria-sort") === "descending"
    || (heading.getAttribute("aria-sort") === null && column === 0);
  for (const sibling of heading.parentElement.cells) sibling.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", up ? "ascending" : "descending");
  const text = (row) => row.cells[column].innerText;
  const compare = column === 0
    ? (a, b) => text(a).localeCompare(text(b), "en", { numeric: true })
    : (a, b) => parseFloat(text(a)) - parseFloat(text(b));
  const rows = [...body.rows].sort((a, b) => (up ? compare(a, b) : compare(b, a)));
  body.append(...rows);
}

for (const heading of document.querySelectorAll(".sortable thead th")) {
  heading.querySelector("button")?.addEventListener("click", () => sortTable(heading));
}

for (const button of document.querySelectorAll("[data-set]")) {
  button.addEventListener("click", () => {
    button.closest(".matrix").dataset.mode = button.dataset.set;
    for (const sibling of button.parentElement.querySelectorAll("button")) {
      sibling.setAttribute("aria-pressed", String(sibling === button));
    }
  });
}

function listCells() {
  const table = document.getElementById("cells");
  const wanted = document.getElementById("search").value.trim().toLowerCase();
  const hits = cells.filter(([t, p]) => t !== p
    && (!wanted || lowered[t].includes(wanted) || lowered[p].includes(wanted)));
  table.tBodies[0].replaceChildren(...hits.slice(0, MOST_LISTED).map(([t, p, count, share]) =>
    make("tr", {}, make("th", { scope: "row" }, cellLink(t, p, term(t))),
      make("td", {}, make("a", { href: `#class=${p}` }, term(p))),
      make("td", { class: "number", "data-key": `metrics.json: confusion[${t}][${p}]` }, `${count}`),
      make("td", { class: "number" }, share))));
  const more = hits.length > MOST_LISTED ? `, the first ${MOST_LISTED} shown` : "";
  document.getElementById("found").textContent = `${plural(hits.length, "cell")}${more}`;
  walkTable(table);
}

const lowered = names.map((name) => name.toLowerCase());
if (document.getElementById("search")) {
  document.getElementById("search").addEventListener("input", listCells);
  listCells();
}

// --- Rows as CSV -----------------------------------------------------------------------------------

function quoted(value) {
  const text = String(value ?? "");
  // A spreadsheet would run a foreign name that begins like a formula.
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

function asCsv(items) {
  const evidence = [...new Set(items.flatMap((k) => Object.keys(images.evidence[k] ?? {})))];
  const full = items.length && images.probabilities[items[0]].length === 2 * names.length;
  const head = ["row", "id", "true", "predicted", "probability", "verdict", ...evidence,
    ...(full ? names.map((name) => `probability of ${name}`) : [])];
  const lines = items.map((k) => {
    const pairs = images.probabilities[k];
    const byClass = [];
    for (let at = 0; at < pairs.length; at += 2) byClass[pairs[at]] = pairs[at + 1] / 10000;
    return [images.row[k], images.id[k], names[images.true[k]], names[images.predicted[k]],
      pairs[1] / 10000, images.verdict[k], ...evidence.map((name) => images.evidence[k]?.[name]),
      ...(full ? byClass : [])];
  });
  return [head, ...lines].map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";
}

document.getElementById("download").addEventListener("click", () => {
  const address = URL.createObjectURL(new Blob([asCsv(shown.items)], { type: "text/csv" }));
  const file = `${shown.address.replace(/[^a-z0-9]+/gi, "-")}.csv`;
  make("a", { href: address, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
});

// --- Where a number comes from -----------------------------------------------------------------------

function nameSource(event) {
  const key = event.target.closest?.("[data-key]")?.dataset.key;
  for (const line of document.querySelectorAll(".source")) {
    line.hidden = !key;
    line.textContent = key ?? "";
  }
}

document.addEventListener("mouseover", nameSource);
document.addEventListener("focusin", nameSource);

// --- The start -----------------------------------------------------------------------------------

document.getElementById("theme").addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
});

document.getElementById("close").addEventListener("click", () => view.close());
view.addEventListener("close", () => {
  if (requestedView(new URLSearchParams(location.hash.slice(1)))) {
    history.replaceState(null, "", "#");
  }
  if (document.activeElement !== document.body) return;  // The browser went back by itself.
  document.querySelector(`a[href="#${shown.address}"]`)?.focus();
});

for (const table of document.querySelectorAll("table.grid:not(#cells)")) walkTable(table);

if (sprite) {
  for (const strip of document.querySelectorAll(".strip")) {
    const { true: t, pred: p } = strip.dataset;
    for (const k of chosen(inCell(Number(t), Number(p))).slice(0, STRIP)) {
      strip.append(make("a", { class: "thumb", href: `#true=${t}&pred=${p}&image=${images.id[k]}`,
        "data-key": `predictions.npz: row ${images.row[k]}, image ${images.id[k]}` }, picture(k),
      make("span", {}, percent(images.probabilities[k][1]))));
    }
  }
}

window.addEventListener("hashchange", followAddress);
followAddress();
