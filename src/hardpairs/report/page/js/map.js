// --- The map ----------------------------------------------------------------------------------------

const map = data.map, canvas = byId("map-canvas");

function drawMap() {
  const [first, second] = pairs.length
    ? [pairs[byId("map-pair").selectedIndex].first, pairs[byId("map-pair").selectedIndex].second]
    : [-1, -1];
  const context = canvas.getContext("2d");
  const probe = byId("map-loupe");
  const resolved = (name) => {  // A canvas doesn't know light-dark().
    probe.style.color = `var(${name})`;
    const found = getComputedStyle(probe).color;
    probe.style.color = "";
    return found;
  };
  const colours = { [first]: resolved("--s0"), [second]: resolved("--s1") };
  const [grey, ink] = [resolved("--line"), resolved("--ink")];
  context.clearRect(0, 0, canvas.width, canvas.height);
  const order = [...map.x.keys()].sort((a, b) =>
    Number(map.true[a] in colours) - Number(map.true[b] in colours));
  for (const at of order) {
    const x = 10 + map.x[at] * 0.98, y = 10 + map.y[at] * 0.68;
    const k = map.place[at];
    context.fillStyle = colours[map.true[at]] ?? grey;
    context.beginPath();
    context.arc(x, y, k >= 0 && isMistake(k) ? 4 : 2.5, 0, 7);
    context.fill();
    if (k >= 0 && isMistake(k) && map.true[at] in colours) {
      context.strokeStyle = ink;
      context.stroke();
    }
  }
}

function nearestOnMap(event) {
  const box = canvas.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * canvas.width;
  const y = ((event.clientY - box.top) / box.height) * canvas.height;
  let best = -1, least = 400;
  for (const [at, k] of map.place.entries()) {
    if (k < 0) continue;
    const distance = (10 + map.x[at] * 0.98 - x) ** 2 + (10 + map.y[at] * 0.68 - y) ** 2;
    if (distance < least) [best, least] = [k, distance];
  }
  return best;
}

if (map && canvas) {
  byId("map-share").textContent = map.share;
  for (const { first, second } of pairs) {
    byId("map-pair").append(make("option", {}, `${names[first]} and ${names[second]}`));
  }
  byId("map-pair").addEventListener("change", drawMap);
  canvas.addEventListener("mousemove", (event) => {
    const k = nearestOnMap(event);
    if (k < 0) return;
    byId("map-loupe").replaceChildren(...(sheet ? [picture(k)] : []),
      make("p", {}, "labelled ", term(images.true[k]), ", predicted ", term(images.predicted[k])));
  });
  canvas.addEventListener("click", (event) => {
    const k = nearestOnMap(event);
    if (k >= 0) {
      location.hash = `true=${images.true[k]}&pred=${images.predicted[k]}&image=${
        encodeURIComponent(images.id[k])}`;
    }
  });
  drawMap();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
}
