const { cells, train, pairs } = data;
const VERDICT_CLASS = ["suspect", "ambiguous", "error", "untold"];
const countOf = new Map(cells.map(([t, p, count, share]) => [`${t},${p}`, { count, share }]));
const PAGE = 200, MOST_LISTED = 200, STRIP = 8;
const view = byId("view"), thumbs = byId("thumbs"), loupe = byId("loupe");
let trainSheet = null;  // Decoded when first needed.

const cellLink = (t, p, ...text) => make("a", { href: `#true=${t}&pred=${p}` }, ...text);
const say = (text) => { byId("status").textContent = text; };

function picture(k) {
  const label = `Image ${images.id[k]}, labelled ${isolated(names[images.true[k]])}`;
  return drawn(sheet, k, { role: "img", "aria-label": label });
}

const areSure = images.probabilities.some((known) => known.length);  // Else classes alone are known.
const isMistake = (k) => images.true[k] !== images.predicted[k];
const confidence = (k) => (images.probabilities[k][1] ?? 0) / 10000;
const sure = (k) => (images.probabilities[k].length ? percent(confidence(k)) : "");
const everyImage = [...images.row.keys()];
const chosen = (keep) => everyImage.filter(keep);
const inCell = (t, p) => (k) => images.true[k] === t && images.predicted[k] === p;
const evidenceOf = (k) => images.evidence[k].map((at) => data.sentences[at]);
const verdictClass = (k) => VERDICT_CLASS[images.verdict[k]] ?? "";
