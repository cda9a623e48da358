// --- Views: what the address asks for -----------------------------------------------------------

function classLink(index) {
  const what = names[index].startsWith("class ") ? [] : ["class "];
  return make("a", { href: `#class=${index}` }, ...what, term(index));
}

function carried(count, kept, which = "the most confident") {
  if (kept === count) return "";
  return ` Here: ${number(kept)}${areSure ? `, ${which}` : ""}; left out: ${number(count - kept)}.`;
}

const total = (rows) => rows.reduce((sum, [, , count]) => sum + count, 0);

const takenFor = (t, p) => [term(t), " taken for ", term(p)];

function cellView(t, p) {
  const { count, share } = countOf.get(`${t},${p}`) ?? { count: 0, share: "0.0%" };
  const items = chosen(inCell(t, p));
  const right = t === p;
  const title = right ? [term(t), " that are right"] : takenFor(t, p);
  const links = [];
  if (!right) {
    const back = countOf.get(`${p},${t}`);
    const pair = pairs.findIndex(({ first, second }) =>
      (first === t && second === p) || (first === p && second === t));
    const line = make("p", { class: "doors" });
    if (pair >= 0) {
      line.append(make("a", { class: "button", href: `#pair=${pair}` }, "both, as a spectrum"));
    }
    if (back) line.append(cellLink(p, t, `the other way: ${number(back.count)}`));
    line.append(classLink(t), classLink(p));
    links.push(line);
  }
  return { title, items, order: right && areSure ? "least confident first" : null,
    text: `${plural(count, "image")}, ${share} of the class.${
      carried(count, items.length, right ? "the closest calls and the surest" : undefined)}`, links };
}

function peopleView(t, p) {
  const count = data.people[t][p], right = t === p;
  const items = chosen((k) => images.true[k] === t && images.votes[k]?.[0] === p);
  return { title: [term(t), right ? ", as people say too" : " that people call ",
    ...(right ? [] : [term(p)])], items,
    text: `${plural(count, "image")} labelled ${isolated(names[t])} that more people call ${
      isolated(names[p])} than anything else.${
      carried(count, items.length, "mistakes and some right ones")}`,
    links: [make("p", { class: "doors" }, ...(right || !countOf.has(`${t},${p}`) ? []
      : [cellLink(t, p, "the model's")]), classLink(t), ...(right ? [] : [classLink(p)]))] };
}

function classView(index) {
  const rows = cells.filter(([t, p]) => t === index && p !== index);
  const columns = cells.filter(([t, p]) => p === index && t !== index);
  const right = countOf.get(`${index},${index}`);
  const list = (heading, entries, partner) => {
    const lines = entries.map(([t, p, count, share]) => make("li", {},
      cellLink(t, p, term(partner === "p" ? p : t)), `: ${number(count)}, `,
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
  const count = total(rows);
  return {
    title: [term(index)], items,
    text: `${plural(count, "mistake")}.${carried(count, items.length)}`,
    links: [...rightLine, list("It is taken for", rows, "p"), list("Taken for it", columns, "t")],
  };
}

function pairView(at) {
  const { first, second, spectrum, counts, told } = pairs[at];
  const items = chosen((k) => isMistake(k) && [first, second].includes(images.true[k])
    && [first, second].includes(images.predicted[k]));
  const there = countOf.get(`${first},${second}`)?.count ?? 0;
  const back = countOf.get(`${second},${first}`)?.count ?? 0;
  return { title: [term(first), " and ", term(second)], items,
    text: `${plural(there + back, "mistake")}.${carried(there + back, items.length)}`,
    links: [make("p", { class: "doors" },
      cellLink(first, second, ...takenFor(first, second), `: ${number(there)}`),
      cellLink(second, first, ...takenFor(second, first), `: ${number(back)}`),
      classLink(first), classLink(second)), ...told.map((text) => make("p", {}, ...sentence(text)))],
    spectrum: sheet && areSure ? spectrumOf(first, second, spectrum, counts) : null };
}

const MOST_IN_MATRIX = 18;
const STEPS = 11, MOST_IN_STEP = 4;

function spectrumOf(first, second, spectrum, counts) {
  const columns = [...Array(STEPS).keys()].map((step) => {
    const half = (label, [right, wrong]) => {
      const all = spectrum.filter(([k, s]) => s === step && images.true[k] === label)
        .map(([k]) => k).sort((a, b) => Number(isMistake(b)) - Number(isMistake(a)));
      const faces = all.slice(0, MOST_IN_STEP).map((k) => {
        const face = picture(k);
        face.setAttribute("aria-hidden", "true");
        const button = make("button", { type: "button", tabindex: "-1",
          class: `face ${isMistake(k) ? `wrong ${verdictClass(k)}` : "right"}`,
          "aria-label": `Image ${images.id[k]}, labelled ${isolated(names[label])}, ${
            isMistake(k) ? "a mistake" : "right"}` }, face);
        button.addEventListener("click", () => {
          showImage(k);
          pressThumb(shown.listed.indexOf(k));
          loupe.scrollIntoView({ block: "nearest" });
          history.replaceState(null, "", `#${shown.address}&image=${encodeURIComponent(images.id[k])}`);
        });
        return button;
      });
      const left = right + wrong - faces.length;
      const more = left
        ? [make("span", { class: "plus", title: `of ${number(right)} right and ${
          plural(wrong, "mistake")}` }, `+${number(left)}`)] : [];
      return make("div", { class: "half" }, ...faces, ...more);
    };
    return make("div", { class: "step" }, half(first, counts[0][step]), make("hr"),
      half(second, counts[1][step]));
  });
  const axis = make("p", { class: "ends" },
    make("span", {}, "surely ", term(first)), make("span", { class: "whole" }, "undecided"),
    make("span", {}, "surely ", term(second)));
  const walk = make("div", { class: "steps", role: "group",
    "aria-label": "Images from surely the one class to surely the other; move with the arrow keys" },
  ...columns);
  const faces = walk.querySelectorAll("button");
  if (faces.length) faces[0].tabIndex = 0;
  walk.addEventListener("keydown", (event) => {
    const target = step(event, [...faces].indexOf(event.target), faces.length, MOST_IN_STEP);
    if (Number.isNaN(target)) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    faces[target].tabIndex = 0;
    faces[target].focus();
  });
  return [make("p", { class: "side" }, "Labelled ", term(first), " above the line, ", term(second),
    " below it. A frame is a mistake, its colour the verdict. Each step shows mistakes first and a "
      + "few of its right images; a number counts those of the step that aren't shown."), walk, axis];
}

function verdictView(index) {
  const items = chosen((k) => images.verdict[k] === index);
  return { title: [verdicts[index]], items,
    text: `${plural(items.length, "image")} here.`, links: [] };
}

function groupsView(from, to) {
  const [inside, beyond] = [from, to].map((index) => new Set(data.groups[index]));
  const between = ([t, p]) => inside.has(t) && beyond.has(p);
  const rows = cells.filter(between);
  const count = total(rows);
  const items = chosen((k) => inside.has(images.true[k]) && beyond.has(images.predicted[k]));
  const lines = rows.slice(0, 12).map(([t, p, more]) => make("li", {},
    cellLink(t, p, ...takenFor(t, p)), `: ${number(more)}`));
  return { title: [`Group ${from + 1} taken for group ${to + 1}`], items,
    text: `${plural(count, "mistake")}.${carried(count, items.length)}`,
    links: [make("p", { class: "doors" },
      make("a", { href: `#group=${to}&other=${from}` }, "the other way"),
      make("a", { href: `#group=${from}` }, `group ${from + 1}`),
      make("a", { href: `#group=${to}` }, `group ${to + 1}`)),
    ...(lines.length
      ? [make("div", {}, make("h3", {}, "The most frequent"), make("ul", {}, ...lines))] : [])] };
}

const shortTerm = (c) => make("bdi", { class: "name", title: names[c] }, data.short[c]);

function groupMatrix(classes) {
  const head = make("tr", {}, make("td", { class: "corner" }), ...classes.map((c) =>
    make("th", { scope: "col" }, make("span", {}, shortTerm(c)))));
  const rows = classes.map((t) => make("tr", {}, make("th", { scope: "row" },
    make("a", { href: `#class=${t}` }, shortTerm(t))), ...classes.map((p) => {
    const found = countOf.get(`${t},${p}`);
    const level = found ? Math.ceil(Math.sqrt(parseFloat(found.share)) - 1e-9) : 0;
    return make("td", { "data-level": level, "data-errors": t === p ? 0 : level },
      ...(found ? [cellLink(t, p, number(found.count))] : []));
  })));
  const table = make("table", { class: `grid cells${classes.length > 10 ? " many" : ""}`,
    "aria-label": "Confusion matrix of the group" },
  make("thead", {}, head), make("tbody", {}, ...rows));
  walkTable(table);
  return make("div", { class: "matrix wide", "data-mode": "count", "data-scale": "level" },
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Matrix" }, table));
}

function groupView(index) {
  const members = data.groups[index], inside = new Set(members);
  const items = chosen((k) => isMistake(k) && inside.has(images.true[k])
    && inside.has(images.predicted[k]));
  const count = total(cells.filter(([t, p]) => t !== p && inside.has(t) && inside.has(p)));
  const text = `${plural(count, "mistake")} among them.${carried(count, items.length)}`;
  const matrix = groupMatrix(members.slice(0, MOST_IN_MATRIX));
  const title = [`Group ${index + 1}: ${plural(members.length, "class", "classes")}`];
  if (members.length <= MOST_IN_MATRIX) return { title, items, text, links: [matrix] };
  const every = make("details", {},
    make("summary", {}, `All ${number(members.length)} classes of the group`),
    make("p", { class: "doors" }, ...members.map((c) => make("a", { href: `#class=${c}` }, term(c)))));
  return { title, items, text: `${text} The matrix has the ${MOST_IN_MATRIX} mixed up most.`,
    links: [matrix, every] };
}

function requestedView(query) {
  const asked = (name) => (/^\d+$/.test(query.get(name) ?? "") ? Number(query.get(name)) : -1);
  const isClass = (index) => index >= 0 && index < names.length;
  if (isClass(asked("true")) && isClass(asked("pred"))) return cellView(asked("true"), asked("pred"));
  if (isClass(asked("people")) && isClass(asked("chosen")) && data.people.length) {
    return peopleView(asked("people"), asked("chosen"));
  }
  if (isClass(asked("class"))) return classView(asked("class"));
  if (asked("pair") >= 0 && asked("pair") < pairs.length) return pairView(asked("pair"));
  if (asked("verdict") >= 0 && asked("verdict") < verdicts.length) return verdictView(asked("verdict"));
  const isGroup = (index) => index >= 0 && index < data.groups.length;
  if (isGroup(asked("group")) && isGroup(asked("other"))) {
    return groupsView(asked("group"), asked("other"));
  }
  if (isGroup(asked("group"))) return groupView(asked("group"));
  if (query.has("marks")) return marksView();
  return null;
}

function followAddress() {
  const query = new URLSearchParams(location.hash.slice(1));
  const wanted = query.get("image");
  const next = requestedView(query);
  followQuiz(query);
  if (!next) {
    if (view.open) view.close();
    return;
  }
  query.delete("image");
  shown = { only: null, at: 0, ...next,
    address: query.toString().replace(/=$/, "") };
  byId("view-title").replaceChildren(...shown.title);
  byId("view-text").textContent = shown.text;
  byId("view-links").replaceChildren(...shown.links);
  byId("spectrum").hidden = !shown.spectrum;
  byId("spectrum").replaceChildren(...(shown.spectrum ?? []));
  if (next.order) byId("sort").value = next.order;
  else byId("sort").selectedIndex = 0;
  showFilters();
  if (!view.open) view.showModal();
  // The image sticks below the head, whose title may take two lines.
  view.style.setProperty("--head", `${view.firstElementChild.offsetHeight}px`);
  view.scrollTop = 0;
  const found = listed().findIndex((k) => images.id[k] === wanted);
  listImages(Math.max(found, 0));
  if (found < 0 && wanted !== null && placeOf.has(wanted)) showImage(placeOf.get(wanted));
  const button = thumbs.children[shown.at];
  if (button && found >= 0) {
    history.replaceState(null, "", `#${shown.address}&image=${encodeURIComponent(wanted)}`);
    button.focus({ preventScroll: true });
    button.scrollIntoView({ block: "nearest" });
  } else {
    (shown.spectrum ? byId("view-title") : button ?? byId("view-title")).focus({ preventScroll: true });
  }
}
