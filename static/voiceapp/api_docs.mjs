// Copies the text of an example; on a phone, closes the list of chapters once one is chosen.

const said = document.getElementById("said");

async function copy(button) {
  const text = button.closest("figure").querySelector("code");
  try {
    await navigator.clipboard.writeText(text.textContent);
    said.textContent = "Copied.";
  } catch {
    // Without https there is no clipboard: the text is marked for the reader's own copying.
    getSelection().selectAllChildren(text);
    said.textContent = "Marked: copy it with your keyboard.";
  }
  setTimeout(() => { said.textContent = ""; }, 3000);
}

for (const button of document.querySelectorAll("button[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

const menu = document.querySelector("details.menu");
const isNarrow = matchMedia("(max-width: 60rem)");

function fold() {
  menu.open = !isNarrow.matches;
}

fold();
isNarrow.addEventListener("change", fold);
menu.addEventListener("click", (event) => {
  if (isNarrow.matches && event.target.closest("a")) menu.open = false;
});
