"use strict";
// Each picture goes to /predict by itself; two at a time, so that the server has places left.
const place = document.getElementById("place"), files = document.getElementById("files");
const answers = document.getElementById("answers"), waiting = [];
let running = 0;

fetch("model").then(response => response.json()).then(model => {
  document.getElementById("about").textContent =
    `${model.name} tells ${model.classes.length} classes. Pictures stay on this machine.`;
});
for (const kind of ["dragover", "dragleave", "drop"])
  document.addEventListener(kind, event => {
    event.preventDefault();
    place.classList.toggle("over", kind === "dragover");
  });
document.addEventListener("drop", event => take(event.dataTransfer.files));
files.addEventListener("change", () => { take(files.files); files.value = ""; });

function take(list) {
  for (const file of list) {
    const item = make("li"), image = make("img", item), side = make("div", item);
    image.alt = "";
    image.src = URL.createObjectURL(file);
    image.onload = () => URL.revokeObjectURL(image.src);
    image.onerror = () => image.remove();
    make("h2", side).textContent = file.name;
    answers.prepend(item);
    waiting.push([file, side]);
  }
  next();
}

function next() {
  while (running < 2 && waiting.length) {
    const [file, side] = waiting.shift();
    running++;
    ask(file, side).finally(() => { running--; next(); });
  }
}

async function ask(file, side) {
  try {
    const response = await fetch("predict?top=3", {method: "POST", body: file});
    const said = await response.json();
    if (!response.ok) throw new Error(said.error);
    for (const one of said.classes) {
      const row = make("div", side), bar = document.createElement("progress");
      row.className = "row";
      make("span", row).textContent = one.name;
      bar.max = 1;
      bar.value = one.probability;
      bar.setAttribute("aria-hidden", "true");
      row.append(bar);
      make("span", row).textContent = `${(100 * one.probability).toFixed(1)} %`;
    }
  } catch (error) {
    const line = make("p", side);
    line.className = "wrong";
    line.textContent = error.message;
  }
}

function make(name, parent) {
  const element = document.createElement(name);
  if (parent) parent.append(element);
  return element;
}
