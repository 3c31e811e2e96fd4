/** Shows how far the runs are, until they are over. The form above may be filled in meanwhile. */

const EVERY_MS = 1000;

async function look() {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (response?.ok && !response.redirected) {
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const [now, shown] = [page, document].map((each) => each.getElementById("runs"));
        if (now && shown && now.innerHTML !== shown.innerHTML) {
            shown.replaceChildren(...now.childNodes);
            shown.toggleAttribute("data-running", now.hasAttribute("data-running"));
        }
    }
    if (document.querySelector("#runs[data-running]")) setTimeout(look, EVERY_MS);
}

if (document.querySelector("#runs[data-running]")) setTimeout(look, EVERY_MS);
