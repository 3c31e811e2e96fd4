/** Requests of the page to its own server: with the session's cookie and CSRF, or with a visitor's token. */

import { Problem, problemOfResponse } from "./problems.mjs";
import { language } from "../texts.mjs";

const root = document.getElementById("call");
let token = root.dataset.visitorToken ?? "";
let isTokenUsed = false;

/** The parsed JSON of the response, or its text; rejects with a Problem. `keepalive`: it outlives the page. */
export async function request(method, address, body, { headers = {}, keepalive = false } = {}) {
    const isText = typeof body === "string";
    const content = body === undefined || isText || body instanceof Blob ? body : JSON.stringify(body);
    const about = { "Content-Type": "application/json", "Accept-Language": language, ...credentials(), ...headers };
    const response = await fetch(address, { method, headers: about, body: content, keepalive }).catch(() => null);
    if (response === null) throw new Problem("unreachable");
    const text = await response.text();
    if (!response.ok) throw problemOfResponse(response, parsed(text));
    return isText ? text : parsed(text);
}

/** A visitor's token begins one call: the next one needs another. */
export async function prepareCall() {
    if (!token) return;
    if (isTokenUsed) ({ token } = await request("POST", root.dataset.visitor, {}));
    isTokenUsed = true;
}

export function socketProtocols() {
    return token ? ["voiceapp", `visitor.${token}`] : [];
}

function credentials() {
    const csrf = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
    return token ? { "X-CSRFToken": csrf, "X-Visitor-Token": token } : { "X-CSRFToken": csrf };
}

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return {};
    }
}
