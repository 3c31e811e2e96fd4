/**
 * Nothing that was typed is lost: leaving a page with unsaved input asks first, and what was typed comes back when its
 * page was answered by the login page or by a refused form token.
 */

import { t } from "./texts.mjs";

const KEPT = "voiceapp-typed";
const KEPT_FOR_MS = 60 * 60 * 1000;
const form = document.querySelector("form.warn-unsaved-form, #changelist-form");
const user = document.querySelector('meta[name="voiceapp-user"]')?.content ?? "";
const here = location.pathname + location.search;

/** Name and value of every field that may be kept: no secrets, no tokens. */
function fieldsOf(form) {
    const secrets = new Set([...form.querySelectorAll("input[type=password]")].map((each) => each.name));
    return [...new FormData(form)].filter(
        ([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken" && !secrets.has(name),
    );
}

function labelsOf(form) {
    const labels = {};
    for (const select of form.querySelectorAll("select")) {
        for (const option of select.selectedOptions) labels[`${select.name} ${option.value}`] = option.label;
    }
    return labels;
}

function readKept() {
    try {
        return JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    } catch {
        return null;
    }
}

/** The login page and the page of a refused token: they come instead of the requested page. */
function isInBetween() {
    return document.querySelector("[data-form-was-refused]") !== null;
}

function addRows(form, values) {
    for (const [name, [total]] of values) {
        const prefix = name.match(/^(.+)-TOTAL_FORMS$/)?.[1];
        const input = prefix && form.elements.namedItem(name);
        for (let missing = input ? Number(total) - Number(input.value) : 0; missing > 0; missing -= 1) {
            const group = document.getElementById(`${prefix}-group`);
            group?.querySelector(".add-row a, a.add-row, .add-row button, .add-row")?.click();
        }
    }
}

function fill(element, values, labels) {
    if (element.type === "checkbox" || element.type === "radio") {
        element.checked = values.includes(element.value);
    } else if (element.tagName === "SELECT") {
        for (const value of values) {
            if (![...element.options].some((option) => option.value === value)) {
                element.add(new Option(labels[`${element.name} ${value}`] ?? value, value));
            }
        }
        for (const option of element.options) option.selected = values.includes(option.value);
    } else if (values.length) {
        element.value = values.shift();
    }
    element.dispatchEvent(new Event("change", { bubbles: true }));
}

function putBack(form, kept) {
    const values = new Map();
    for (const [name, value] of kept.fields) values.set(name, [...(values.get(name) ?? []), value]);
    addRows(form, values);
    for (const element of [...form.elements]) {
        const isField = element.name && !["submit", "button", "password", "file"].includes(element.type);
        const isChoice = ["checkbox", "radio"].includes(element.type);
        if (!isField || element.name === "csrfmiddlewaretoken" || element.name.includes("__prefix__")) continue;
        if (values.has(element.name) || isChoice) fill(element, values.get(element.name) ?? [], kept.labels);
    }
    const notice = document.createElement("p");
    notice.className = "va-card va-kept";
    notice.setAttribute("role", "status");
    notice.textContent = t("What you had typed is here again. It is not saved yet: check it, then save.");
    form.before(notice);
}

/** Enter in the text field of a button presses that button, not the form's first one. */
function pressButtonOnEnter(event) {
    const panel = event.target.closest?.(".va-panel");
    if (event.key !== "Enter" || !panel || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    panel.querySelector("button[type=submit]").click();
}

function watch(form, isPutBack) {
    let shown = isPutBack ? "" : JSON.stringify(fieldsOf(form));
    let isSaving = false;
    // Widgets that dress up a field after the page has come change nothing that a person typed.
    let isTouched = isPutBack;
    const begin = () => {
        if (!isTouched) shown = JSON.stringify(fieldsOf(form));
    };
    for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, begin, true);
    for (const kind of ["input", "change", "click"]) {
        document.addEventListener(kind, (event) => (isTouched ||= event.isTrusted), true);
    }
    window.addEventListener("load", begin);
    form.addEventListener("submit", (event) => {
        // The list's own actions save nothing that was typed into it.
        isSaving = form.id !== "changelist-form" || event.submitter?.name === "_save" || event.submitter?.hasAttribute("formaction");
        if (!isSaving) return;
        const kept = { path: here, user, fields: fieldsOf(form), labels: labelsOf(form), at: Date.now() };
        sessionStorage.setItem(KEPT, JSON.stringify(kept));
    });
    window.addEventListener("pageshow", () => (isSaving = false));
    window.addEventListener("beforeunload", (event) => {
        if (!isSaving && isTouched && JSON.stringify(fieldsOf(form)) !== shown) event.preventDefault();
    });
}

document.addEventListener("keydown", pressButtonOnEnter);
const kept = readKept();
let isPutBack = false;
if (kept && isInBetween()) {
    sessionStorage.setItem(KEPT, JSON.stringify({ ...kept, wasLost: true }));
} else if (kept) {
    const isMine = kept.wasLost && kept.user === user && Date.now() - kept.at < KEPT_FOR_MS;
    if (!isMine || kept.path === here) sessionStorage.removeItem(KEPT);
    isPutBack = Boolean(isMine && form && kept.path === here);
}
if (form) watch(form, isPutBack);
// Not before: the links that add rows to tables come when the page is complete.
if (isPutBack) window.addEventListener("load", () => putBack(form, kept));
