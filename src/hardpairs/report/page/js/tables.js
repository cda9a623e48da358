// --- The class table, the matrix, the list of cells, rows as CSV ---------------------------------

function classRow([c, precision, recall, f1, support, mistakes, other, count]) {
  const key = (field) => `metrics.json: classes[${c}].${field}`;
  const cell = (text, field) => make("td", { class: "number", "data-key": field && key(field) }, text);
  return make("tr", {},
    make("th", { scope: "row" }, make("a", { href: `#class=${c}` }, term(c))),
    cell(number(mistakes), null),
    make("td", {}, ...(other === null ? [] : [cellLink(c, other, term(other)), " ",
      make("span", { class: "quiet" }, `(${number(count)})`)])),
    cell(recall, "recall"), cell(precision, "precision"), cell(f1, "f1"),
    cell(number(support), "support"));
}

const classTable = byId("classes").closest("section").querySelector("table");

function makeAllClasses() {  // Only now, and not shown yet: of a thousand classes both take a while.
  const rows = data.other_classes.splice(0).map(classRow);
  if (!rows.length) return;
  for (const row of rows) row.hidden = true;
  classTable.tBodies[0].append(...rows);
  walkTable(classTable);
}

byId("all-classes")?.addEventListener("click", () => {
  makeAllClasses();
  const body = classTable.tBodies[0];
  delete body.dataset.most;
  for (const row of body.rows) row.hidden = false;
  byId("all-classes").hidden = true;
  body.querySelector("a").focus();
});
// Sorting takes all of them, so they are made before the heading hears of the click.
classTable.tHead.addEventListener("click", makeAllClasses, true);

// --- The matrix -----------------------------------------------------------------------------------

function arrange(table, order) {
  const rows = [...table.tBodies[0].rows], head = table.tHead.rows[0];
  const place = new Map(order.map((index, at) => [String(index), at]));
  const sorted = (elements) => [...elements].sort((a, b) =>
    place.get(a.dataset.class) - place.get(b.dataset.class));
  head.append(...sorted(head.querySelectorAll("th")));
  for (const row of rows) row.append(...sorted(row.querySelectorAll("td")));
  table.tBodies[0].append(...sorted(rows));
}

for (const button of document.querySelectorAll("[data-toggle]")) {
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    if (button.dataset.toggle === "scale") {
      button.closest(".matrix").dataset.scale = on ? "errors" : "level";
    } else {
      const order = on ? data.order : [...names.keys()];
      for (const table of document.querySelectorAll("main table.cells")) arrange(table, order);
    }
  });
}

function pointOut(event) {
  const cell = event.target.closest?.("main table.cells td[data-class]");
  for (const lit of document.querySelectorAll(".lit")) lit.classList.remove("lit");
  if (!cell) return;
  const row = cell.parentElement, table = cell.closest("table");
  row.cells[0].classList.add("lit");
  table.tHead.rows[0].cells[cell.cellIndex].classList.add("lit");
  const t = Number(row.dataset.class), p = Number(cell.dataset.class);
  const readout = table.closest(".matrix").querySelector(".readout");
  if (!readout) return;
  const { count, share } = countOf.get(`${t},${p}`) ?? { count: 0, share: "0.0%" };
  readout.replaceChildren(term(t), ...(t === p ? [" right: "] : [" taken for ", term(p), ": "]),
    `${plural(count, "image")}, ${share} of the class`);
}

document.addEventListener("mouseover", pointOut);
document.addEventListener("focusin", pointOut);

// --- Many classes ---------------------------------------------------------------------------------

const lowered = names.map((name) => name.toLowerCase());

function listCells() {
  const table = byId("cells");
  const wanted = byId("search").value.trim().toLowerCase();
  const hits = cells.filter(([t, p]) => t !== p
    && (!wanted || lowered[t].includes(wanted) || lowered[p].includes(wanted)));
  table.tBodies[0].replaceChildren(...hits.slice(0, MOST_LISTED).map(([t, p, count, share]) =>
    make("tr", {}, make("th", { scope: "row" }, cellLink(t, p, term(t))),
      make("td", {}, make("a", { href: `#class=${p}` }, term(p))),
      make("td", { class: "number", "data-key": `metrics.json: confusion[${t}][${p}]` }, number(count)),
      make("td", { class: "number" }, share))));
  const more = hits.length > MOST_LISTED ? `, the first ${MOST_LISTED} shown` : "";
  byId("found").textContent = `${plural(hits.length, "cell")}${more}`;
  walkTable(table);
}

if (byId("search")) {
  byId("search").addEventListener("input", listCells);
  listCells();
}

// --- Rows as CSV -----------------------------------------------------------------------------------

function quoted(value) {
  const text = String(value ?? "");
  // A spreadsheet would run a foreign name that begins like a formula.
  const risky = typeof value === "string" && /^ *[=+\-@\t\r\n＝＋－＠]/.test(text)
    && Number.isNaN(Number(text));
  return `"${(risky ? `'${text}` : text).replaceAll('"', '""')}"`;
}

const asText = (lines) => lines.map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";

function asCsv(items) {
  const full = names.length <= 40;
  const head = ["row", "id", "true", "predicted", "probability", "verdict", "evidence",
    ...(full ? names.map((name) => `probability of ${name}`) : [])];
  const lines = items.map((k) => {
    const known = images.probabilities[k];
    const byClass = full ? names.map(() => 0) : [];
    for (let at = 0; full && at < known.length; at += 2) byClass[known[at]] = known[at + 1] / 10000;
    return [images.row[k], images.id[k], names[images.true[k]], names[images.predicted[k]],
      known.length ? known[1] / 10000 : "", verdicts[images.verdict[k]] ?? "",
      evidenceOf(k).join(" "), ...byClass];
  });
  return asText([head, ...lines]);
}

function saveFile(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

byId("download").addEventListener("click", () => {
  saveFile(`${shown.address.replace(/[^a-z0-9]+/gi, "-")}.csv`, asCsv(shown.listed));
});
