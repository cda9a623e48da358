// --- What a reader says of images: kept in this browser, handed on as corrections.csv ----------------

const MARKS = { w: "label wrong", a: "ambiguous", m: "model error", x: "leave out" };
const marks = new Map(JSON.parse(recall(`marks ${data.key}`) ?? "[]"));
const placeOf = new Map(everyImage.map((k) => [images.id[k], k]));

function keepMarks() {
  remember(`marks ${data.key}`, JSON.stringify([...marks]));
  byId("marked").hidden = !marks.size;
  byId("marked").textContent = `${number(marks.size)} marked`;
}

function mark(k, what, label = null) {
  const id = images.id[k];
  const old = marks.get(id);
  if (what === null || (old?.mark === what && label === null && what !== "label wrong")) {
    marks.delete(id);
  } else {
    marks.set(id, { mark: what, label: what === "label wrong" ? label ?? images.predicted[k] : null });
  }
  keepMarks();
  const button = thumbs.children[shown.at];
  button?.classList.toggle("marked", marks.has(id));
  loupe.querySelector(".marks")?.replaceWith(markButtons(k));
  const now = marks.get(id);
  say(now ? `Marked: ${now.mark}${now.label === null ? "" : `, should be ${names[now.label]}`}`
    : "Mark taken away");
}

function markButtons(k) {
  const now = marks.get(images.id[k]);
  const buttons = Object.entries(MARKS).map(([key, what]) => {
    const button = make("button", { type: "button", "aria-pressed": String(now?.mark === what),
      "aria-keyshortcuts": key, title: `key ${key}` }, what);
    button.addEventListener("click", () => {
      mark(k, now?.mark === what ? null : what);
      loupe.querySelector(`.marks [aria-keyshortcuts="${key}"]`)?.focus();
    });
    return button;
  });
  const box = make("div", { class: "marks", role: "group", "aria-label": "Your mark" }, ...buttons);
  if (now?.mark === "label wrong") {
    const choice = make("select", {}, ...names.map((name, index) =>
      make("option", { value: index, ...(index === now.label ? { selected: "" } : {}) }, name)));
    choice.addEventListener("change", () => {
      mark(k, "label wrong", Number(choice.value));
      loupe.querySelector(".marks select")?.focus();
    });
    box.append(make("label", {}, "should be ", choice));
  }
  return box;
}

view.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || shown?.image === undefined) return;
  if (event.target.closest("select, input")) return;
  const what = MARKS[event.key.toLowerCase()];
  if (!what) return;
  event.preventDefault();
  mark(shown.image, marks.get(images.id[shown.image])?.mark === what ? null : what);
});

function marksAsCsv() {
  const lines = [...marks].filter(([id]) => placeOf.has(id)).map(([id, { mark: what, label }]) =>
    [data.split, id, data.given[images.true[placeOf.get(id)]], what,
      label === null ? "" : data.given[label]]);
  return asText([["split", "id", "label", "mark", "correction"], ...lines]);
}

function marksView() {
  const items = [...marks.keys()].filter((id) => placeOf.has(id)).map((id) => placeOf.get(id));
  const save = make("button", { type: "button", id: "save-marks", class: "strong" },
    "Download corrections.csv");
  save.addEventListener("click", () => saveFile("corrections.csv", marksAsCsv()));
  const clear = make("button", { type: "button" }, "Take all marks away");
  clear.addEventListener("click", () => { marks.clear(); keepMarks(); view.close(); });
  const how = make("p", { class: "quiet" }, "Give the file to ",
    make("code", {}, "hardpairs evaluate FOLDER --corrections corrections.csv"),
    ": labels are corrected and images left out, and the result says what changed.");
  return { title: ["Your marks"], items, text: `${plural(items.length, "image")} marked.`,
    links: items.length ? [make("p", {}, save, " ", clear), how] : [] };
}
