// --- Would you do better? --------------------------------------------------------------------------

const quiz = byId("quiz-box");  // Not "quiz": the browser would focus what an address names.
let answers = [];

function followQuiz(query) {
  if (!quiz) return;
  const wanted = query.has("quiz");
  if (!wanted && quiz.open) quiz.close();
  if (wanted && !quiz.open) {
    answers = [];
    askNext();
    quiz.showModal();
    byId("quiz-title").focus();
  }
}

function askNext() {
  const { items } = data.quiz;
  const body = byId("quiz-body");
  if (answers.length === items.length) {
    body.replaceChildren(...quizResult());
    byId("quiz-title").focus();
    return;
  }
  const [k, first, second] = items[answers.length];
  const face = drawn(sheet, k, { role: "img", "aria-label": "What is this?" });
  const buttons = [first, second].map((index, at) => {
    const button = make("button", { type: "button", class: "answer" },
      make("kbd", {}, String(at + 1)), " ", term(index));
    button.addEventListener("click", () => answer(index));
    return button;
  });
  body.replaceChildren(
    make("p", { class: "quiet" }, `Image ${answers.length + 1} of ${items.length}, one on which `
      + "the model hesitates. Which is it? (Keys 1 and 2.)"),
    face, make("div", { class: "answers", role: "group", "aria-label": "Your answer" }, ...buttons));
  say(`Image ${answers.length + 1} of ${items.length}`);
}

function answer(index) {
  answers.push(index);
  askNext();
  byId("quiz-body").querySelector(".answer")?.focus();
}

function quizResult() {
  const { items, model, people } = data.quiz;
  const right = items.filter(([k], at) => answers[at] === images.true[k]).length;
  const strip = items.map(([k], at) => make("figure",
    { class: answers[at] === images.true[k] ? "same" : "other" },
    drawn(sheet, k, { role: "img", "aria-label": `Image ${images.id[k]}` }),
    make("figcaption", {}, "labelled ", term(images.true[k], CAPTION), make("br"),
      "you: ", term(answers[at], CAPTION))));
  const again = make("button", { type: "button" }, "Again");
  again.addEventListener("click", () => { answers = []; askNext(); });
  say(`You got ${right} of ${items.length} right, the model ${model}.`);
  return [make("p", { class: "score" }, `You: ${right} of ${items.length}. The model: ${model}.`,
    people ? ` People: ${people} of their votes are for the label.` : ""),
  make("p", { class: "quiet" }, "As the labels have it, and some of these labels are doubtful."),
  make("div", { class: "near wrap" }, ...strip), make("p", {}, again)];
}

quiz?.addEventListener("keydown", (event) => {
  const buttons = byId("quiz-body").querySelectorAll(".answer");
  const index = Number(event.key) - 1;
  if (buttons[index]) {
    event.preventDefault();
    buttons[index].click();
  }
});
quiz?.addEventListener("close", () => {
  if (new URLSearchParams(location.hash.slice(1)).has("quiz")) history.replaceState(null, "", "#");
});
byId("quiz-close")?.addEventListener("click", () => quiz.close());
