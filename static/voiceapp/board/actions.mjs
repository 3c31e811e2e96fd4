/** Requests of the board's buttons: one at a time for each button, and a sentence for whatever goes wrong. */

const token = () => document.querySelector("input[name=csrfmiddlewaretoken]");

/** After a new sign-in the form's token is another one: the page itself has it. */
async function renewToken() {
    const response = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector("#board") && page.querySelector("input[name=csrfmiddlewaretoken]");
    if (!fresh) return false;
    token().value = fresh.value;
    return true;
}

const SIGNED_OUT = "Your session has ended. Sign in again, then press once more: nothing is lost.";
const OFFLINE = "Not saved: there is no connection. Try again when the board is online.";
const FAILED = "Not saved: the server failed. Try again.";

/** `{ ok, message }` of a request with these fields. */
export async function send(address, fields) {
    try {
        let response = await post(address, fields);
        let body = await bodyOf(response);
        if (response.status === 403 && body.error !== "no_access") {
            if (!(await renewToken())) return { ok: false, message: SIGNED_OUT };
            response = await post(address, fields);
            body = await bodyOf(response);
        }
        if (response.status === 401) return { ok: false, message: SIGNED_OUT };
        return { ok: response.ok, message: body.message ?? (response.ok ? "" : FAILED) };
    } catch {
        return { ok: false, message: OFFLINE };
    }
}

const bodyOf = (response) => response.json().catch(() => ({}));

function post(address, fields) {
    return fetch(address, {
        method: "POST",
        headers: { "X-CSRFToken": token().value, Accept: "application/json" },
        body: new URLSearchParams(fields),
        redirect: "error",
        signal: AbortSignal.timeout(15_000),
    });
}
