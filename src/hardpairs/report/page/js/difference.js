const SHOWN = 300, FACES = 4, STRIP = 5;
const KINDS = data.kinds;
let shown = null, current = -1;  // The images listed, and the place of the chosen one.

const picture = (k) => drawn(sheet, k, { "aria-hidden": "true" });
const kindOf = (k) => KINDS[images.kind[k]];
const several = Math.max(...data.runs) > 1;
const pairKey = (classes) => classes.join(",");
const pairs = new Map(data.pairs.map(({ classes, apart, mixed }) =>
  [pairKey(classes), { apart: new Set(apart), mixed: new Set(mixed) }]));
const NOW = { apart: "no longer mixed up", mixed: "newly mixed up" };
const inAll = (k) => Math.abs(images.ra[k] / data.runs[0] - images.rb[k] / data.runs[1]) === 1;

// --- What the address asks for ---------------------------------------------------------------------

function wanted() {
  const query = new URLSearchParams(location.hash.slice(1));
  const pair = pairs.has(query.get("pair")) ? query.get("pair").split(",").map(Number) : null;
  const place = (name) => {
    const index = /^\d+$/.test(query.get(name) ?? "") ? Number(query.get(name)) : names.length;
    return index < names.length ? index : null;
  };
  return {
    asked: ["changed", "all", "true", "pred", "pair", "now", "image", "verdict"]
      .some((name) => query.has(name)),
    changed: KINDS.includes(query.get("changed")) ? query.get("changed") : "",
    all: query.has("all"),
    verdict: verdicts.includes(query.get("verdict")) ? query.get("verdict") : "",
    label: place("true"), pred: place("pred"),
    pair, now: pair && Object.hasOwn(NOW, query.get("now") ?? "") ? query.get("now") : "",
    image: query.get("image"),
  };
}

function fits(k, { changed, all, verdict, label, pred, pair, now }) {
  if (changed && kindOf(k) !== changed) return false;
  if (all && !inAll(k)) return false;
  if (verdict && verdicts[images.verdict[k]] !== verdict) return false;
  if (label !== null && images.true[k] !== label) return false;
  if (pred !== null && images.a[k] !== pred && images.b[k] !== pred) return false;
  if (!pair) return true;
  const { apart, mixed } = pairs.get(pairKey(pair));
  return (now !== "mixed" && apart.has(k)) || (now !== "apart" && mixed.has(k));
}

function address(asked, image) {
  const query = new URLSearchParams();
  if (asked.changed) query.set("changed", asked.changed);
  if (asked.all) query.set("all", "1");
  if (asked.verdict) query.set("verdict", asked.verdict);
  if (asked.label !== null) query.set("true", asked.label);
  if (asked.pred !== null) query.set("pred", asked.pred);
  if (asked.pair) query.set("pair", pairKey(asked.pair));
  if (asked.now) query.set("now", asked.now);
  if (image !== undefined) query.set("image", image);
  return `#${query}`;
}

function follow(scroll) {
  const asked = wanted();
  if (shown && !asked.asked && location.hash.length > 1) return;  // A section was asked for.
  shown = [...images.id.keys()].filter((k) => fits(k, asked));
  byId("kind").value = asked.changed;
  if (byId("all")) byId("all").checked = asked.all;
  if (byId("verdict")) byId("verdict").value = asked.verdict;
  byId("label").value = asked.label ?? "";
  const parts = [plural(shown.length, "image")];
  if (asked.pair) parts.push(`of ${asked.pair.map((i) => isolated(names[i])).join(" and ")}`);
  if (asked.now) parts.push(NOW[asked.now]);
  if (asked.pred !== null) parts.push(`that A or B predicts to be ${isolated(names[asked.pred])}`);
  byId("found").textContent = parts.join(" ");
  byId("everything").hidden = address(asked) === "#";
  byId("pictures").replaceChildren();
  const at = shown.findIndex((k) => images.id[k] === asked.image);
  do showMore(); while (at >= byId("pictures").children.length);
  if (shown.length) choose(Math.max(at, 0), at >= 0);
  else byId("one").replaceChildren(make("p", { class: "quiet" }, "No image fits."));
  if (scroll && asked.asked) byId("images").scrollIntoView();
}

function showMore() {
  const from = byId("pictures").children.length;
  byId("pictures").append(...shown.slice(from, from + SHOWN).map(shot));
  const left = shown.length - byId("pictures").children.length;
  byId("more").hidden = left <= 0;
  byId("more").textContent = `Show ${number(Math.min(left, SHOWN))} more of ${number(left)}`;
}

function shot(k) {
  const kind = kindOf(k);
  const text = `Image ${isolated(images.id[k])}, ${kind}: labelled ${
    isolated(names[images.true[k]])}, A predicts ${isolated(names[images.a[k]])}, B ${
    isolated(names[images.b[k]])}${several ? `; ${sharesOf(k)}` : ""}`;
  const face = sprite ? picture(k) : make("span", {}, images.id[k]);
  return make("button", { type: "button", class: `shot ${kind}`, "aria-label": text,
    tabindex: "-1" }, face, predictions(k),
    ...(several ? [`${images.ra[k]}/${data.runs[0]} → ${images.rb[k]}/${data.runs[1]}`] : []));
}

function sharesOf(k) {
  const [a, b] = data.runs;
  return `right in ${images.ra[k]} of ${a} runs of A, ${images.rb[k]} of ${b} of B`;
}

function choose(position, keep) {
  const buttons = [...byId("pictures").children];
  current = position;
  for (const [index, button] of buttons.entries()) {
    button.tabIndex = index === position ? 0 : -1;
    button.setAttribute("aria-pressed", String(index === position));
  }
  const k = shown[position];
  byId("one").replaceChildren(...details(k));
  if (keep) history.replaceState(null, "", address(wanted(), images.id[k]));
}

function details(k) {
  const kind = kindOf(k);
  const facts = make("div", { class: "facts-of" }, make("h3", {}, "Image ", idOf(k)),
    make("p", {}, "labelled ", make("b", {}, term(images.true[k])), "; A predicts ",
      make("b", {}, term(images.a[k])), ", B predicts ", make("b", {}, term(images.b[k]))));
  if (several) facts.append(make("p", { class: "quiet" }, `${sharesOf(k)}.`));
  const tags = [kind === "elsewhere" ? "wrong in both" : kind];
  if (images.verdict[k] !== null) tags.push(verdicts[images.verdict[k]]);
  facts.append(make("p", { class: "tags" }, ...tags.map((tag) => make("span", { class: "tag" }, tag))));
  const beside = make("div", { class: "beside" }, ...(sprite ? [picture(k)] : []), facts);
  if (images.evidence[k].length) {
    beside.append(make("ul", { class: "evidence" },
      ...images.evidence[k].map((text) => make("li", {}, ...sentence(text)))));
  }
  const bars = make("div", { class: "two-bars" });
  if (images.pa[k].length) bars.append(barsOf(images.pa[k], k, `A: ${data.a}`));
  if (images.pb[k].length) bars.append(barsOf(images.pb[k], k, `B: ${data.b}`));
  return [beside, bars];
}

// --- The caption of an image, wherever it is --------------------------------------------------------

function predictions(k) {
  return make("span", { class: "predictions" }, make("span", {}, "A: ", term(images.a[k], CAPTION)),
    make("span", {}, "B: ", term(images.b[k], CAPTION)));
}

// --- The first images of what B fixes and breaks, in all and of a pair ----------------------------

function fillWithChanged(box) {
  const isFaces = box.classList.contains("faces");
  const { changed = "", now = "", pair } = box.dataset;
  const asked = { ...wanted(), changed, now, all: false, verdict: "", label: null, pred: null,
    pair: pair ? pair.split(",").map(Number) : null };
  const first = [...images.id.keys()].filter((k) => fits(k, asked)).slice(0, isFaces ? FACES : STRIP);
  fillStrip(box, first.map((k) => make("a", { class: `thumb ${kindOf(k)}`,
    href: address(asked, images.id[k]), "aria-label": `Image ${isolated(images.id[k])}, A predicts ${
      isolated(names[images.a[k]])}, B ${isolated(names[images.b[k]])}` }, picture(k),
  predictions(k))));
}

for (const box of sprite ? document.querySelectorAll("[data-changed], [data-now]") : []) fillWithChanged(box);

// --- Events ----------------------------------------------------------------------------------------

byId("pictures").addEventListener("click", (event) => {
  const button = event.target.closest(".shot");
  if (button) choose([...byId("pictures").children].indexOf(button), true);
});

byId("pictures").addEventListener("keydown", (event) => {
  const all = [...byId("pictures").children];
  const target = step(event, current, all.length, columnsOf(all));
  if (Number.isNaN(target)) return;
  event.preventDefault();
  choose(target, true);
  all[target].focus();
});

byId("more").addEventListener("click", () => {
  const from = byId("pictures").children.length;
  showMore();
  byId("pictures").children[from].focus();
});

for (const id of ["kind", "all", "verdict", "label"]) {
  byId(id)?.addEventListener("change", () => {
    const { pred, pair, now } = wanted();
    const label = byId("label").value === "" ? null : Number(byId("label").value);
    history.replaceState(null, "", address({ changed: byId("kind").value, label, pred, pair, now,
      all: byId("all")?.checked ?? false, verdict: byId("verdict")?.value ?? "" }));
    follow(false);
  });
}

byId("everything").addEventListener("click", () => {
  history.replaceState(null, "", "#");
  follow(false);
  byId("kind").focus();
});

for (const table of document.querySelectorAll("table.grid:has(tbody a)")) walkTable(table);
for (const spectrum of document.querySelectorAll(".spectrum")) makeOneStop(spectrum);
addEventListener("hashchange", () => follow(true));
follow(true);
