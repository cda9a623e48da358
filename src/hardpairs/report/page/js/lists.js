// --- Lists of images: what they show, in which order -------------------------------------------

let shown = null;  // The open view: its title, text, links, items, address, and what is listed of it.

const ORDERS = {
  "most confident first": areSure ? (a, b) => confidence(b) - confidence(a) : null,
  "least confident first": areSure ? (a, b) => confidence(a) - confidence(b) : null,
  "most ambiguous first": images.ambiguity.length
    ? (a, b) => images.ambiguity[b] - images.ambiguity[a] : null,
  "least probable labels first": images.label.length
    ? (a, b) => images.label[a] - images.label[b] : null,
  "by id": (a, b) => asNames(images.id[a], images.id[b]),
};

for (const [name, order] of Object.entries(ORDERS)) {
  if (order) byId("sort").append(make("option", {}, name));
}

function listed() {
  const keep = shown.only === null ? shown.items
    : shown.items.filter((k) => images.verdict[k] === shown.only);
  return [...keep].sort(ORDERS[byId("sort").value]);
}

function thumb(k) {
  const label = `Image ${images.id[k]}, ${isolated(names[images.true[k]])}, predicted ${
    isolated(names[images.predicted[k]])}${sure(k) && ` with ${sure(k)}`}${
    images.verdict[k] === null ? "" : `, ${verdicts[images.verdict[k]]}`}`;
  const face = sheet ? picture(k) : `${images.id[k]}`;
  const button = make("button", { type: "button", class: `thumb ${verdictClass(k)}`,
    tabindex: "-1", "aria-label": label,
    "data-key": `predictions.npz: row ${images.row[k]}, image ${images.id[k]}` },
  face, make("span", {}, sure(k)));
  if (sheet) face.setAttribute("aria-hidden", "true");
  if (marks.has(images.id[k])) button.classList.add("marked");
  return button;
}

function listImages(start = 0) {
  shown.listed = listed();
  shown.most = Math.max(PAGE, start + 1);
  const first = shown.listed.slice(0, shown.most);
  thumbs.replaceChildren(...first.map(thumb));
  showMore();
  byId("download").disabled = !shown.listed.length;
  if (first.length) choose(Math.min(start, first.length - 1), false);
  else loupe.replaceChildren();
}

function showMore() {
  const left = shown.listed.length - thumbs.children.length;
  byId("more").hidden = left <= 0;
  byId("more").textContent = `Show ${number(Math.min(left, PAGE))} more of ${number(left)}`;
}

byId("more").addEventListener("click", () => {
  const from = thumbs.children.length;
  thumbs.append(...shown.listed.slice(from, from + PAGE).map(thumb));
  showMore();
  thumbs.children[from]?.focus();
});

byId("sort").addEventListener("change", () => listImages());

function showFilters() {
  const counts = verdicts.map((_, index) =>
    shown.items.filter((k) => images.verdict[k] === index).length);
  const some = counts.some(Boolean);
  byId("toolbar").hidden = shown.items.length < 2;
  byId("filters").hidden = !some;
  const chips = [[null, "all", shown.items.length],
    ...verdicts.map((name, index) => [index, name, counts[index]])];
  byId("filters").replaceChildren(...chips.filter(([, , count]) => count).map(([index, name, count]) => {
    const chip = make("button", { type: "button", "aria-pressed": String(shown.only === index),
      class: index === null ? "" : VERDICT_CLASS[index] }, `${name} ${number(count)}`);
    chip.addEventListener("click", () => {
      shown.only = index;
      for (const each of byId("filters").children) {
        each.setAttribute("aria-pressed", String(each === chip));
      }
      listImages();
    });
    return chip;
  }));
}

function pressThumb(position) {
  const all = thumbs.children;
  for (const [index, button] of [...all].entries()) {
    button.setAttribute("aria-pressed", String(index === position));
    button.tabIndex = -1;
  }
  (all[position] ?? all[0])?.setAttribute("tabindex", "0");
  shown.at = position;
}

function choose(position, keepAddress = true) {
  const k = shown.listed[position];
  pressThumb(position);
  showImage(k);
  say(`Image ${images.id[k]}, ${number(position + 1)} of ${number(shown.listed.length)}, labelled ${
    names[images.true[k]]}, predicted ${names[images.predicted[k]]}`);
  if (keepAddress) {
    const address = `#${shown.address}&image=${encodeURIComponent(images.id[k])}`;
    history.replaceState(null, "", address);
  }
}

thumbs.addEventListener("click", (event) => {
  const button = event.target.closest(".thumb");
  if (button) choose([...thumbs.children].indexOf(button));
});

thumbs.addEventListener("keydown", (event) => {
  const all = [...thumbs.children];
  const target = step(event, all.indexOf(event.target), all.length, columnsOf(all));
  if (Number.isNaN(target)) return;
  event.preventDefault();
  choose(target);
  all[target].focus();
});
