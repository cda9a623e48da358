// --- One image: beside it what is known of it ----------------------------------------------------

function showImage(k) {
  shown.image = k;
  loupe.replaceChildren(...details(k));
}

function details(k) {
  const predicted = images.predicted[k], verdict = images.verdict[k];
  const facts = make("div", { class: "facts-of" },
    make("h3", { "data-key": `predictions.npz: row ${images.row[k]}` }, "Image ",
      idOf(k)),
    make("p", {}, "labelled ", make("b", {}, term(images.true[k])), ", predicted ",
      make("b", {}, term(predicted))));
  if (verdict !== null) {
    facts.append(make("p", {}, make("span", { class: `tag ${VERDICT_CLASS[verdict]}` },
      verdicts[verdict])));
  }
  const beside = [...(sheet ? [picture(k)] : []), facts];
  if (images.evidence[k].length) {
    beside.push(make("ul", { class: "evidence", "data-key": "mistakes.csv: evidence" },
      ...evidenceOf(k).map((text) => make("li", {}, ...sentence(text)))));
  }
  const parts = [make("div", { class: "beside" }, ...beside)];
  parts.push(markButtons(k), ...neighboursOf(k));
  const bars = make("div", { class: "bars-of" });
  if (images.probabilities[k].length) {
    bars.append(barsOf(images.probabilities[k], k, "the model"));
  }
  if (images.votes[k]?.length) bars.append(votesOf(k));
  parts.push(bars);
  return parts;
}

function neighboursOf(k) {
  const near = train?.of[k] ?? [];
  if (!near.length || !train.sprite) return [];
  trainSheet ??= sheetOf(train.sprite);
  const strip = near.map(([place, label]) => {
    const same = label === images.true[k];
    const name = train.id ? `Image ${train.id[place]}` : `Training image ${train.row[place]}`;
    const text = `${name}, labelled ${isolated(names[label])}`;
    return make("figure", { class: same ? "same" : "" },
      drawn(trainSheet, place, { role: "img", "aria-label": text }),
      make("figcaption", {}, term(label, CAPTION)));
  });
  const heading = train.id ? "The nearest images among those predicted"
    : "Its nearest training images";
  const key = train.id ? "predictions.npz: embeddings or images"
    : "neighbours.npz";
  return [make("h4", {}, heading), make("div", { class: "near", "data-key": key }, ...strip)];
}

function votesOf(k) {
  const votes = images.votes[k];
  let people = 0;
  for (let at = 1; at < votes.length; at += 2) people += votes[at];
  const table = barTable(`people, ${plural(people, "vote")}`);
  for (let at = 0; at < votes.length; at += 2) {
    table.append(barRow(k, votes[at], (100 * votes[at + 1]) / people, String(votes[at + 1]),
      `votes: row ${images.row[k]}, column ${votes[at]}`));
  }
  return table;
}
