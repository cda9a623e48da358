"use strict";
// Shows what the page was given; every statistic was computed before it was written.

const data = JSON.parse(document.getElementById("data").textContent);
const { names, images, sprite, verdicts } = data;
const byId = (id) => document.getElementById(id);
const SHOWN = 300;
const KINDS = data.kinds;
let shown = [], current = -1;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const term = (index) => make("bdi", { class: "name", title: names[index] }, names[index]);
const isolated = (text) => `\u2068${text}\u2069`;
const percent = (parts) => `${(parts / 100).toFixed(1)}%`;

const sheet = new Image();
const ready = sprite
  ? new Promise((resolve) => { sheet.onload = resolve; sheet.src = sprite.url; })
  : null;

function picture(k) {
  const { columns, side } = sprite;
  const canvas = make("canvas", { width: side, height: side, "aria-hidden": "true" });
  const x = (k % columns) * side, y = Math.floor(k / columns) * side;
  ready.then(() => canvas.getContext("2d")
    .drawImage(sheet, x, y, side, side, 0, 0, side, side));
  return canvas;
}

const kindOf = (k) => KINDS[images.kind[k]];
const several = Math.max(...data.runs) > 1;
const inAll = (k) => Math.abs(images.ra[k] / data.runs[0] - images.rb[k] / data.runs[1]) === 1;

function idOf(k) {
  const id = make("bdi", {}, images.id[k]);
  if (!data.link) return id;
  const path = images.id[k].split("/").map(encodeURIComponent).join("/");
  return make("a", { href: data.link + path, target: "_blank", rel: "noopener" }, id);
}

// --- What the address asks for ---------------------------------------------------------------------

function wanted() {
  const query = new URLSearchParams(location.hash.slice(1));
  const pair = /^(\d+),(\d+)$/.exec(query.get("pair") ?? "");
  const number = (name) => (/^\d+$/.test(query.get(name) ?? "") ? Number(query.get(name)) : null);
  return {
    asked: ["changed", "all", "true", "pred", "pair", "image"].some((name) => query.has(name)),
    changed: KINDS.includes(query.get("changed")) ? query.get("changed") : "",
    all: query.has("all"),
    verdict: verdicts.includes(query.get("verdict")) ? query.get("verdict") : "",
    label: number("true"), pred: number("pred"),
    pair: pair ? [Number(pair[1]), Number(pair[2])] : null,
    image: query.get("image"),
  };
}

function fits(k, { changed, all, verdict, label, pred, pair }) {
  if (changed && kindOf(k) !== changed) return false;
  if (all && !inAll(k)) return false;
  if (verdict && verdicts[images.verdict[k]] !== verdict) return false;
  if (label !== null && images.true[k] !== label) return false;
  if (pred !== null && images.a[k] !== pred && images.b[k] !== pred) return false;
  if (pair) {
    const inside = (index) => pair.includes(index);
    if (!inside(images.true[k]) || !inside(images.a[k]) || !inside(images.b[k])) return false;
  }
  return true;
}

function address(asked, image) {
  const query = new URLSearchParams();
  if (asked.changed) query.set("changed", asked.changed);
  if (asked.all) query.set("all", "1");
  if (asked.verdict) query.set("verdict", asked.verdict);
  if (asked.label !== null) query.set("true", asked.label);
  if (asked.pred !== null) query.set("pred", asked.pred);
  if (asked.pair) query.set("pair", asked.pair.join(","));
  if (image !== undefined) query.set("image", image);
  return `#${query}`;
}

function follow(scroll) {
  const asked = wanted();
  if (scroll && !asked.asked) return;
  shown = [...images.id.keys()].filter((k) => fits(k, asked));
  byId("kind").value = asked.changed;
  if (byId("all")) byId("all").checked = asked.all;
  if (byId("verdict")) byId("verdict").value = asked.verdict;
  byId("label").value = asked.label ?? "";
  const parts = [`${shown.length.toLocaleString("en")} images`];
  if (asked.pair) parts.push(`of ${asked.pair.map((i) => isolated(names[i])).join(" and ")}`);
  if (asked.pred !== null) parts.push(`that A or B takes for ${isolated(names[asked.pred])}`);
  if (shown.length > SHOWN) parts.push(`(the first ${SHOWN} are shown)`);
  byId("found").textContent = parts.join(" ");
  byId("pictures").replaceChildren(...shown.slice(0, SHOWN).map(shot));
  const at = shown.findIndex((k) => images.id[k] === asked.image);
  if (shown.length) choose(Math.max(at, 0), at >= 0);
  else byId("one").replaceChildren(make("p", { class: "quiet" }, "No image fits."));
  if (scroll) byId("images").scrollIntoView();
}

function shot(k) {
  const kind = kindOf(k);
  const text = `Image ${isolated(images.id[k])}, ${kind}: labelled ${isolated(names[images.true[k]])}, A ${
    isolated(names[images.a[k]])}, B ${isolated(names[images.b[k]])}${several ? `; ${sharesOf(k)}` : ""}`;
  const face = sprite ? picture(k) : make("span", {}, images.id[k]);
  const wrong = kind === "fixed" ? images.a[k] : images.b[k];
  return make("button", { type: "button", class: `shot ${kind}`, "aria-label": text,
    tabindex: "-1" }, face, term(wrong),
    ...(several ? [`${images.ra[k]}/${data.runs[0]} → ${images.rb[k]}/${data.runs[1]}`] : []));
}

function sharesOf(k) {
  return `right in ${images.ra[k]} of ${data.runs[0]} runs of A, ${images.rb[k]} of ${data.runs[1]} of B`;
}

function choose(position, keep) {
  const buttons = [...byId("pictures").children];
  if (position >= buttons.length) position = 0;
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
  const parts = sprite ? [picture(k)] : [];
  parts.push(make("h3", {}, idOf(k)));
  parts.push(make("p", {}, "labelled ", make("b", {}, term(images.true[k])), "; A says ",
    make("b", {}, term(images.a[k])), ", B says ", make("b", {}, term(images.b[k]))));
  if (several) parts.push(make("p", { class: "quiet" }, `${sharesOf(k)}.`));
  const tags = [kind === "elsewhere" ? "wrong in both" : kind];
  if (images.verdict[k] !== null) tags.push(verdicts[images.verdict[k]]);
  parts.push(make("p", { class: "tags" }, ...tags.map((tag) => make("span", { class: "tag" }, tag))));
  const bars = make("div", { class: "two-bars" });
  if (images.pa[k].length) bars.append(barsOf(images.pa[k], k, `A: ${data.a}`));
  if (images.pb[k].length) bars.append(barsOf(images.pb[k], k, `B: ${data.b}`));
  parts.push(bars);
  const evidence = images.evidence[k];
  if (evidence.length) {
    parts.push(make("ul", { class: "evidence" }, ...evidence.map((text) => make("li", {}, text))));
  }
  return parts;
}

function barsOf(probabilities, k, caption) {
  const table = make("table", { class: "bars" }, make("caption", {}, make("bdi", {}, caption)));
  for (let at = 0; at < probabilities.length; at += 2) {
    const [index, parts] = [probabilities[at], probabilities[at + 1]];
    const bar = make("span", { class: index === images.true[k] ? "bar-true" : "bar-other" });
    bar.style.inlineSize = `${parts / 100}%`;
    table.append(make("tr", {}, make("th", { scope: "row" }, term(index)),
      make("td", { class: "track", "aria-hidden": "true" }, bar),
      make("td", { class: "number" }, percent(parts))));
  }
  return table;
}

// --- Events ----------------------------------------------------------------------------------------

byId("pictures").addEventListener("click", (event) => {
  const button = event.target.closest(".shot");
  if (button) choose([...byId("pictures").children].indexOf(button), true);
});

byId("pictures").addEventListener("keydown", (event) => {
  const all = [...byId("pictures").children];
  const wrapped = all.findIndex((button) => button.offsetTop > all[0].offsetTop);
  const columns = wrapped < 0 ? all.length : wrapped;
  const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  const target = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1
    : current + (moves[event.key] ?? NaN);
  if (!(target >= 0 && target < all.length)) return;
  event.preventDefault();
  choose(target, true);
  all[target].focus();
});

for (const id of ["kind", "all", "verdict", "label"]) {
  byId(id)?.addEventListener("change", () => {
    const chosen = {
      changed: byId("kind").value, all: byId("all")?.checked ?? false, verdict: byId("verdict")?.value ?? "",
      label: byId("label").value === "" ? null : Number(byId("label").value), pred: null, pair: null,
    };
    history.replaceState(null, "", address(chosen));
    follow(false);
  });
}

for (const button of document.querySelectorAll("[data-set]")) {
  button.addEventListener("click", () => {
    byId("delta").dataset.mode = button.dataset.set;
    for (const sibling of button.parentElement.querySelectorAll("button")) {
      sibling.setAttribute("aria-pressed", String(sibling === button));
    }
  });
}

for (const heading of document.querySelectorAll(".sortable thead th")) {
  heading.querySelector("button")?.addEventListener("click", () => {
    const body = heading.closest("table").tBodies[0], column = heading.cellIndex;
    const up = heading.getAttribute("aria-sort") === "descending";
    for (const sibling of heading.parentElement.cells) sibling.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => row.cells[column].dataset.sort ?? row.cells[column].innerText;
    const compare = (x, y) => (column === 0 ? value(x).localeCompare(value(y))
      : parseFloat(value(x)) - parseFloat(value(y)));
    body.append(...[...body.rows].sort((x, y) => (up ? compare(x, y) : compare(y, x))));
  });
}

byId("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
});

addEventListener("hashchange", () => follow(true));
follow(false);
if (wanted().asked) byId("images").scrollIntoView();
