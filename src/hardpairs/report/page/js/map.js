// --- The map ----------------------------------------------------------------------------------------

const map = data.map, canvas = byId("map-canvas"), mapBox = byId("map-box");
const WIDE = [1000, 680], TALL = [560, 620], EDGE = 24;  // Of the canvas; pixels round the points.
const MAP_PICTURE = 40, MAP_SPACING = 50, MOST_PICTURES = 90;
let drawnMap = null, onMap = -1;  // Without the ring; the chosen point.

const placeOnMap = (at) => [
  EDGE + (map.x[at] / 1000) * (canvas.width - 2 * EDGE),
  EDGE + (map.y[at] / 1000) * (canvas.height - 2 * EDGE),
];

function mapColours(names) {  // A canvas doesn't know light-dark().
  const probe = byId("map-loupe");
  const found = names.map((name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  });
  probe.style.color = "";
  return found;
}

function drawPoint(context, at, second) {
  const [x, y] = placeOnMap(at);
  const wrong = map.place[at] >= 0 && isMistake(map.place[at]);
  const size = wrong ? 4.5 : 2.5;
  context.beginPath();
  if (second) context.rect(x - size, y - size, 2 * size, 2 * size);  // Not by colour alone.
  else context.arc(x, y, size, 0, 7);
  context.fill();
  if (wrong && context.globalAlpha === 1) context.stroke();
}

function mapPictures(isPairs) {
  const shownAt = [], chosenOnes = [];
  const order = [...map.place.keys()].filter((at) => map.place[at] >= 0)
    .sort((a, b) => (isPairs(b) && isMistake(map.place[b])) - (isPairs(a) && isMistake(map.place[a])));
  for (const at of order) {
    const [x, y] = placeOnMap(at);
    if (shownAt.some(([u, v]) => Math.max(Math.abs(x - u), Math.abs(y - v)) < MAP_SPACING)) continue;
    shownAt.push([x, y]);
    chosenOnes.push(at);
    if (chosenOnes.length === MOST_PICTURES) break;
  }
  return chosenOnes;
}

function drawMap() {
  const pair = pairs[byId("map-pair").selectedIndex];
  [canvas.width, canvas.height] = mapBox.clientWidth < 560 ? TALL : WIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const [first, second, grey, ink, line] =
    mapColours(["--s0", "--s1", "--quiet", "--ink", "--line"]);
  const isPairs = (at) => Boolean(pair) && [pair.first, pair.second].includes(map.true[at]);
  if (pair) {
    byId("map-first").replaceChildren(term(pair.first));
    byId("map-second").replaceChildren(term(pair.second));
  }
  context.strokeStyle = ink;
  for (const lit of [false, true]) {
    context.globalAlpha = lit || !pair ? 1 : 0.3;
    for (const at of map.x.keys()) {
      if (isPairs(at) !== lit) continue;
      const isSecond = lit && map.true[at] === pair.second;
      context.fillStyle = lit ? (isSecond ? second : first) : grey;
      drawPoint(context, at, isSecond);
    }
  }
  context.globalAlpha = 1;
  const { image, side, columns } = sheet ?? {};
  for (const at of sheet && byId("map-pictures").checked ? mapPictures(isPairs) : []) {
    const [x, y] = placeOnMap(at).map((v) => v - MAP_PICTURE / 2), k = map.place[at];
    context.fillStyle = isPairs(at) ? (map.true[at] === pair.second ? second : first) : line;
    context.fillRect(x - 2, y - 2, MAP_PICTURE + 4, MAP_PICTURE + 4);
    context.drawImage(image, (k % columns) * side, Math.floor(k / columns) * side, side, side,
      x, y, MAP_PICTURE, MAP_PICTURE);
  }
  drawnMap = context.getImageData(0, 0, canvas.width, canvas.height);
  ringOnMap();
}

function ringOnMap() {
  if (onMap < 0 || !drawnMap) return;
  const context = canvas.getContext("2d");
  context.putImageData(drawnMap, 0, 0);
  const [x, y] = placeOnMap(onMap);
  for (const [width, colour] of [[6, "--paper"], [3, "--accent"]]) {
    context.beginPath();
    context.arc(x, y, 13, 0, 7);
    [context.lineWidth, context.strokeStyle] = [width, mapColours([colour])[0]];
    context.stroke();
  }
  context.lineWidth = 1;
}

function showOnMap(at, aloud = false) {
  if (at < 0 || at === onMap) return;
  onMap = at;
  ringOnMap();
  const k = map.place[at];
  const link = linkTo(k);
  link.append(make("span", {}, "labelled ", term(images.true[k]), make("br"), "predicted ",
    term(images.predicted[k])));
  link.tabIndex = -1;  // Enter opens it.
  byId("map-loupe").replaceChildren(link);
  if (aloud) {
    say(`Image ${images.id[k]}, labelled ${names[images.true[k]]}, predicted ${
      names[images.predicted[k]]}`);
  }
}

function nearestOnMap(event) {
  const box = canvas.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * canvas.width;
  const y = ((event.clientY - box.top) / box.height) * canvas.height;
  return leastOnMap((dx, dy) => dx * dx + dy * dy, x, y, 900);
}

function leastOnMap(far, x, y, least) {
  let best = -1;
  for (const [at, k] of map.place.entries()) {
    if (k < 0 || at === onMap && least === Infinity) continue;
    const [px, py] = placeOnMap(at);
    const distance = far(px - x, py - y);
    if (distance < least) [best, least] = [at, distance];
  }
  return best;
}

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function walkMap(event) {
  if (event.key === "Enter" && onMap >= 0) {
    byId("map-loupe").querySelector("a").click();
    return;
  }
  const towards = DIRECTIONS[event.key];
  if (!towards || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const [ux, uy] = towards, [x, y] = placeOnMap(onMap);
  showOnMap(leastOnMap((dx, dy) => {  // Straight on is nearer than to the side.
    const along = dx * ux + dy * uy, aside = Math.abs(dx * uy) + Math.abs(dy * ux);
    return along > 0 && aside <= along ? along + 2 * aside : Infinity;
  }, x, y, Infinity), true);
}

function startMap() {
  byId("map-how").textContent = map.how;
  for (const { first, second } of pairs) {
    byId("map-pair").append(make("option", {}, `${names[first]} and ${names[second]}`));
  }
  byId("map-pair").addEventListener("change", drawMap);
  byId("map-pictures").addEventListener("change", drawMap);
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") showOnMap(nearestOnMap(event));
  });
  canvas.addEventListener("click", (event) => {
    const at = nearestOnMap(event), before = onMap;
    showOnMap(at);
    // A finger sees first what it is about to open.
    if (at >= 0 && (at === before || event.pointerType !== "touch")) {
      byId("map-loupe").querySelector("a").click();
    }
  });
  mapBox.addEventListener("keydown", walkMap);
  mapBox.addEventListener("focus", () => {
    const [first] = map.place.filter((k) => k >= 0 && isMistake(k));
    if (onMap < 0) showOnMap(map.place.indexOf(first ?? map.place.find((k) => k >= 0)), true);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
  matchMedia("(max-width: 44rem)").addEventListener("change", drawMap);
  // Nothing is drawn before somebody comes near it.
  const watch = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    (sheet?.ready ?? Promise.resolve()).then(drawMap);
  }, { rootMargin: "600px" });
  watch.observe(mapBox);
  window.addEventListener("beforeprint", drawMap);
}

if (map && canvas) startMap();
