/** Sends the bench's forms without leaving the page, and says that the agent is thinking. */

const DESKS = "#bench";

async function send(form, button) {
    const desk = document.querySelector(DESKS);
    const status = desk.querySelector("#waiting");
    const body = new FormData(form, button);
    status.textContent = desk.dataset.waiting;
    for (const each of desk.querySelectorAll("button")) each.disabled = true;
    const response = await fetch(location.href, { method: "POST", body }).catch(() => null);
    for (const each of desk.querySelectorAll("button")) each.disabled = false;
    if (response?.redirected) {
        status.textContent = desk.dataset.signedOut;
        return undefined;
    }
    const page = response && new DOMParser().parseFromString(await response.text(), "text/html");
    const now = page?.querySelector(DESKS);
    if (!now) {
        status.textContent = desk.dataset.failed;
        return undefined;
    }
    desk.replaceChildren(...now.childNodes);
    const again = button.value === "say" ? "text" : "which-tool";
    return document.getElementById(again)?.focus();
}

document.addEventListener("submit", (event) => {
    const form = event.target;
    // What leads to another page is left to the browser.
    if (!form.closest(DESKS) || form.method !== "post" || event.submitter?.value === "keep") return;
    event.preventDefault();
    send(form, event.submitter);
});
