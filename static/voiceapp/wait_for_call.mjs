/** Looks for the first call until one was answered. */

const EVERY_MS = 3000;

async function look() {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (response?.ok) {
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const [now, shown] = [page, document].map((each) => each.getElementById("first-call"));
        if (now && shown && now.textContent !== shown.textContent) shown.replaceChildren(...now.childNodes);
        if (shown?.querySelector(".va-success")) return;
    }
    setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
