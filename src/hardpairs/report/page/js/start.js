// --- Where a number comes from -----------------------------------------------------------------------

const sources = byId("sources");

function nameSource(event) {
  if (sources.getAttribute("aria-pressed") !== "true") return;
  const key = event.target.closest?.("[data-key]")?.dataset.key;
  for (const line of document.querySelectorAll(".source")) {
    line.hidden = !key;
    line.textContent = key ?? "";
  }
}

sources.addEventListener("click", () => {
  const on = sources.getAttribute("aria-pressed") !== "true";
  sources.setAttribute("aria-pressed", String(on));
  for (const value of document.querySelectorAll(".value")) {
    if (on) value.tabIndex = 0;
    else value.removeAttribute("tabindex");
  }
  for (const line of document.querySelectorAll(".source")) line.hidden = true;
});
document.addEventListener("mouseover", nameSource);
document.addEventListener("focusin", nameSource);

// --- The start -----------------------------------------------------------------------------------

byId("theme").addEventListener("click", () => { if (map && canvas) drawMap(); });
byId("close").addEventListener("click", () => view.close());
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
view.addEventListener("close", () => {
  if (requestedView(new URLSearchParams(location.hash.slice(1)))) {
    history.replaceState(null, "", "#");
  }
  if (document.activeElement !== document.body) return;  // The browser went back by itself.
  document.querySelector(`main a[href="#${shown.address}"]`)?.focus();
});

for (const table of document.querySelectorAll("table.grid:not(#cells)")) walkTable(table);
for (const part of document.querySelectorAll(".verdict-bar a")) {
  part.style.flexGrow = part.dataset.count;
}

function linkTo(k) {
  const address = `#true=${images.true[k]}&pred=${images.predicted[k]}&image=${
    encodeURIComponent(images.id[k])}`;
  return make("a", { class: `thumb ${verdictClass(k)}`, href: address,
    "data-key": `predictions.npz: row ${images.row[k]}, image ${images.id[k]}` }, picture(k));
}

if (sheet) {
  const faces = document.querySelector(".faces");
  if (faces) {
    fillStrip(faces, data.first.map((k) => {
      const link = linkTo(k);
      link.append(make("span", {}, term(images.true[k], CAPTION), " → ",
        term(images.predicted[k], CAPTION)));
      return link;
    }));
  }
  for (const strip of document.querySelectorAll(".strip")) {
    const { true: t, pred: p } = strip.dataset;
    fillStrip(strip, chosen(inCell(Number(t), Number(p))).slice(0, STRIP).map((k) => {
      const link = linkTo(k);
      link.append(make("span", {}, sure(k)));
      return link;
    }));
  }
}

keepMarks();
window.addEventListener("hashchange", followAddress);
followAddress();
