// Sends pictures to POST /predict and shows what comes back; nothing is kept.

const pad = byId("pad"), video = byId("video"), drop = byId("drop"), camera = byId("camera");
const context = pad.getContext("2d", { willReadFrequently: true });
const PEN = 0.085;  // Of the pad's side: the training images are solid things, not lines.
const LONGEST = 1024, FRAME = 480;  // Pixels of a photo, and of a camera's frame, that are sent.
const MOST_BARS = 10;

const term = (name, most = Infinity) => make("bdi", { class: "name", title: name }, cut(name, most));

// --- Asking: one request at a time, and always about the newest picture ------------------------------

let waiting = null, asking = false, turn = 0;

async function ask(take, name) {
  waiting = { take, name, turn };
  if (asking) return;
  asking = true;
  while (waiting) {
    const next = waiting;
    waiting = null;
    try {
      const found = await send(await next.take(), next.name);
      if (next.turn === turn) show(found);
    } catch (error) {
      if (next.turn === turn) refuse(error.message);
    }
  }
  asking = false;
}

async function send(picture, name) {
  const form = new FormData();
  form.append("photo", picture, name);
  let answer;
  try {
    answer = await fetch("/predict", { method: "POST", body: form });
  } catch {
    throw new Error("The server doesn't answer; look whether it is still running.");
  }
  let said = {};
  try { said = await answer.json(); } catch { /* The status says enough. */ }
  if (!answer.ok) throw new Error(said.detail ?? `The server refused it (${answer.status}).`);
  return said;
}

const asBlob = (canvas, kind) => new Promise((resolve, reject) => {
  canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture can't be sent."))), kind, 0.9);
});

// --- The answer --------------------------------------------------------------------------------------

function refuse(reason) {
  byId("found").hidden = true;
  byId("refused").textContent = reason;
  byId("refused").hidden = false;
  byId("status").textContent = reason;
}

function pictured(each) {
  const image = make("img", { src: each.image, alt: `Training image ${each.train_image}` });
  return make("figure", {}, image, make("figcaption", {}, term(each.class, CAPTION)));
}

function show(found) {
  const nothing = found.doubts.find((doubt) => doubt.code === "nothing");
  if (nothing) {
    refuse(nothing.sentence);
    return;
  }
  const classes = Object.entries(found.probabilities);
  byId("refused").hidden = true;
  byId("found").hidden = false;
  byId("intro").hidden = true;
  byId("saw").src = found.image;
  byId("class").replaceChildren(term(found.class), " ",
    make("span", { class: "quiet" }, percent(found.probability)));
  byId("doubts").replaceChildren(...found.doubts.map((doubt) =>
    make("p", { class: "note" }, doubt.sentence)));
  byId("doubts").hidden = !found.doubts.length;
  byId("bars").replaceChildren(...classes.slice(0, MOST_BARS).map(([name, share]) => {
    const bar = make("span");
    bar.style.width = `${100 * share}%`;
    return make("tr", {}, make("th", { scope: "row" }, term(name, BESIDE_A_BAR)),
      make("td", { class: "track" }, bar), make("td", { class: "number" }, percent(share)));
  }));
  byId("pair").textContent = found.pair;
  byId("directions").replaceChildren(...found.taken_for.map((each) =>
    make("li", {}, make("a", { href: each.href }, term(each.true), " taken for ", term(each.predicted)))));
  byId("in-report").hidden = !found.taken_for.length;
  byId("near").replaceChildren(...found.nearest.map(pictured));
  byId("typical").replaceChildren(...found.typical.map(pictured));
  byId("typical-class").replaceChildren(term(found.class));
  byId("likeness").hidden = !found.nearest.length;
  byId("status").textContent = `${found.class}, ${percent(found.probability)}`;
}

// --- Drawing -----------------------------------------------------------------------------------------

let pen = null, isDrawing = false;

function clear() {
  turn += 1;
  waiting = null;
  isDrawing = false;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, pad.width, pad.height);
  byId("found").hidden = byId("refused").hidden = true;
  byId("intro").hidden = false;
  byId("status").textContent = "";
}

function place(event) {
  const box = pad.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * pad.width,
    (event.clientY - box.top) / box.height * pad.height];
}

function stroke(to) {
  context.strokeStyle = "#000";
  context.lineWidth = PEN * pad.width;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...pen);
  context.lineTo(...to);
  context.stroke();
  pen = to;
  ask(() => asBlob(pad, "image/png"), "drawing");
}

pad.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || stream) return;
  event.preventDefault();
  if (!isDrawing) clear();  // A photo makes room for a drawing.
  isDrawing = true;
  try { pad.setPointerCapture(event.pointerId); } catch { /* A script's own event. */ }
  pen = place(event);
  stroke(pen);
});
pad.addEventListener("pointermove", (event) => {
  if (!pen) return;
  const steps = event.getCoalescedEvents?.() ?? [];
  for (const step of steps.length ? steps : [event]) stroke(place(step));
});
for (const end of ["pointerup", "pointercancel"]) {
  pad.addEventListener(end, () => { pen = null; });
}
byId("clear").addEventListener("click", () => { stop(); clear(); });

// --- Photos: chosen, dropped, pasted -----------------------------------------------------------------

function scaled(source, width, height, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = make("canvas", { width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)) });
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function showOnPad(canvas) {
  const scale = Math.min(pad.width / canvas.width, pad.height / canvas.height);
  const width = canvas.width * scale, height = canvas.height * scale;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, pad.width, pad.height);
  context.drawImage(canvas, (pad.width - width) / 2, (pad.height - height) / 2, width, height);
  isDrawing = false;
}

async function usePhoto(file) {
  stop();
  clear();
  const mine = turn;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);  // Upright, as the camera says.
  } catch {
    if (mine === turn) refuse(`${file.name}: this browser can't read it as a picture; save it as PNG or JPEG.`);
    return;
  }
  if (mine !== turn) return;
  const canvas = scaled(bitmap, bitmap.width, bitmap.height, LONGEST);
  bitmap.close();
  showOnPad(canvas);
  ask(() => asBlob(canvas, "image/png"), file.name || "photo");
}

const fileOf = (transfer) => [...(transfer?.files ?? [])][0];

for (const input of [byId("file"), byId("snapshot")]) {
  input.addEventListener("change", () => {
    if (input.files.length) usePhoto(input.files[0]);
    input.value = "";
  });
}
byId("choose").addEventListener("click", () => byId("file").click());
document.addEventListener("paste", (event) => {
  const file = fileOf(event.clipboardData);
  if (file) usePhoto(file);
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const file = fileOf(event.dataTransfer);
  if (file) usePhoto(file);
});

// --- The camera: looked through until its picture is taken --------------------------------------------

let stream = null;

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  video.srcObject = null;
  video.hidden = true;
  camera.textContent = "Camera";
}

const frame = () => scaled(video, video.videoWidth, video.videoHeight, FRAME);

async function look() {
  while (stream) {
    if (video.videoWidth && !document.hidden) {
      const seen = frame();
      await ask(() => asBlob(seen, "image/jpeg"), "camera");
    }
    await new Promise((resolve) => { setTimeout(resolve, 200); });
  }
}

camera.addEventListener("click", async () => {
  if (stream) {
    const taken = frame();
    stop();
    showOnPad(taken);
    ask(() => asBlob(taken, "image/png"), "camera");
    return;
  }
  clear();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    byId("snapshot").click();  // On a telephone this opens its own camera.
    return;
  }
  video.srcObject = stream;
  video.hidden = false;
  camera.textContent = "Take the picture";
  await video.play();
  look();
});
addEventListener("pagehide", stop);

clear();
