/** Requests of a board's buttons: one at a time for each button, and a sentence for whatever goes wrong. */

import { texts } from "./texts.mjs";

const token = () => document.querySelector("input[name=csrfmiddlewaretoken]");

/** After a new sign-in the form's token is another one: the page itself has it. */
async function renewToken() {
    const response = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector("#board-texts") && page.querySelector("input[name=csrfmiddlewaretoken]");
    if (!fresh) return false;
    token().value = fresh.value;
    return true;
}

/** `{ ok, message }` of a request with these fields. */
export async function send(address, fields) {
    try {
        let response = await post(address, fields);
        let body = await bodyOf(response);
        if (response.status === 403 && body.error !== "no_access") {
            if (!(await renewToken())) return { ok: false, message: texts.signedOut };
            response = await post(address, fields);
            body = await bodyOf(response);
        }
        if (response.status === 401) return { ok: false, message: texts.signedOut };
        return { ok: response.ok, message: body.message ?? (response.ok ? "" : texts.notSaved) };
    } catch {
        return { ok: false, message: texts.notSavedOffline };
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
