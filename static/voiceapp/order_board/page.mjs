/** The order board: puts cards into columns as the feed brings them, and sends what is pressed. */

import { send } from "../board/actions.mjs";
import { showConnection } from "../board/connection.mjs";
import { follow } from "../feed.mjs";
import { makeChime } from "./chime.mjs";
import { makeAutomaticPrinting, printTicket } from "./printing.mjs";
import { t } from "../texts.mjs";

const LATE_S = 10 * 60;

const byId = (id) => document.getElementById(id);
const board = byId("board");
const title = document.title;
const clockAhead = Date.now() / 1000 - Number(board.dataset.now);
const nowS = () => Date.now() / 1000 - clockAhead;
const cards = new Map(); // by the order's id: { element, data }
const chime = makeChime(byId("sound"), board);
const automatic = makeAutomaticPrinting(byId("auto-print"));
let isFilled = false;

// Cards

function showOrder(data, id) {
    const known = cards.get(id);
    if (known?.data.html === data.html && known.data.column === data.column) return;
    const element = known?.element ?? document.createElement("article");
    const had = element.contains(document.activeElement) ? document.activeElement.dataset.do : "";
    element.className = data.isOver ? "card over" : "card";
    element.id = `order-${id}`;
    element.dataset.order = id;
    element.dataset.number = data.number;
    element.setAttribute("aria-label", t("Order No. %(number)s", { number: data.number }));
    element.tabIndex = -1;
    element.innerHTML = data.html; // from our own template, which has escaped every name
    cards.set(id, { element, data });
    const isNew = data.column === "new" && known?.data.column !== "new";
    if (isNew && isFilled) byId("news").textContent = t("New order No. %(number)s.", { number: data.number });
    if (isNew) automatic.offer(id, nowS() - data.at, element.querySelector("[data-ticket]").dataset.ticket);
    place(id, data, element);
    if (had) (element.querySelector(`[data-do="${had}"]`) ?? element).focus();
    count(isNew && isFilled);
    tick();
}

/** The oldest first; of those that are over, the newest. */
function place(id, data, element) {
    const column = board.querySelector(`[data-column="${data.column}"] .cards`);
    const later = [...column.children].find((other) => {
        if (other === element) return false;
        const { at, number } = cards.get(other.dataset.order).data;
        const isLater = at > data.at || (at === data.at && number > data.number);
        return data.column === "over" ? !isLater : isLater;
    });
    if (element.parentElement !== column || element.nextElementSibling !== (later ?? null)) {
        column.insertBefore(element, later ?? null);
    }
}

function showBoard(data) {
    for (const [id, { element }] of cards) {
        if (data.orders.includes(id)) continue;
        element.remove();
        cards.delete(id);
    }
    isFilled = true;
    showPrep(data);
    if (byId("paused")) byId("paused").hidden = data.takesOrders;
    count(false);
}

function count(isNew) {
    for (const column of board.querySelectorAll(".column")) {
        column.querySelector(".count").textContent = column.querySelectorAll(".card").length;
    }
    const waiting = board.querySelectorAll('[data-column="new"] .card').length;
    document.title = waiting ? `(${waiting}) ${title}` : title;
    if (waiting) navigator.setAppBadge?.(waiting).catch(() => {});
    else navigator.clearAppBadge?.().catch(() => {});
    chime.wait(waiting > 0, isNew);
}

function tick() {
    const now = nowS();
    for (const { element, data } of cards.values()) {
        const minutes = Math.max(0, Math.floor((now - data.at) / 60));
        const elapsed = element.querySelector(".elapsed");
        const words = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
        if (elapsed.textContent !== words) elapsed.textContent = words;
        elapsed.classList.toggle("late", !data.isOver && now - data.at > LATE_S);
        for (const button of element.querySelectorAll("[data-until]")) button.hidden = Number(button.dataset.until) < now;
    }
}

// Preparation time

function showPrep({ prepMinutes, busyMinutes, busyUntil, busyUntilWords }) {
    const isBusy = busyUntil !== null && busyUntil > nowS();
    const minutes = prepMinutes === null ? null : prepMinutes + (isBusy ? busyMinutes : 0);
    const text = minutes === null ? t("Callers hear no preparation time.") : t("Callers hear: ready in about %(minutes)s min.", { minutes });
    byId("prep-words").textContent = isBusy ? `${text} ${t("Busy until %(time)s.", { time: busyUntilWords })}` : text;
    const field = byId("prep");
    if (field && document.activeElement !== field) field.value = prepMinutes ?? "";
    if (byId("not-busy")) byId("not-busy").hidden = !isBusy;
}

async function change(address, fields, buttons) {
    for (const button of buttons) button.disabled = true;
    const { message } = await send(address, fields);
    for (const button of buttons) button.disabled = false;
    byId("prep-words").textContent = message;
    feed.refresh();
}

document.querySelector("[data-form=prep]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    document.activeElement.blur();
    change(form.action, { minutes: form.elements.minutes.value }, form.querySelectorAll("button"));
});
document.querySelector(".busy")?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-busy]");
    if (button) change(button.parentElement.dataset.address, { minutes: button.dataset.busy }, [button]);
});

// Orders

board.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const card = button.closest(".card");
    if (button.dataset.do === "print") return printTicket(button.dataset.ticket);
    if (button.dataset.do === "undo") return press(card, "undo", { event: button.dataset.event });
    const fields = { to: button.dataset.to, seen: button.dataset.seen };
    if (button.dataset.asks) return ask(card, button.dataset.asks, fields);
    return press(card, "move", fields);
});

/** Whether it was done; otherwise the card says why not. */
async function press(card, what, fields, problem = card.querySelector(".problem")) {
    const buttons = card.querySelectorAll("button");
    byId("trouble").hidden = true;
    for (const button of buttons) button.disabled = true;
    const { ok, message } = await send(`${board.dataset.orders}${card.dataset.order}/${what}`, fields);
    if (ok) byId("news").textContent = message;
    await feed.refresh();
    for (const button of buttons) button.disabled = false;
    // The refreshed card is new inside, or gone, and the sentence must stay to be read.
    const place = problem.isConnected ? problem : card.isConnected ? card.querySelector(".problem") : byId("trouble");
    place.textContent = ok ? "" : message;
    place.hidden = ok;
    return ok;
}

const dialog = byId("reason");
let asked = null;

function ask(card, label, fields) {
    asked = { card, fields };
    const form = dialog.querySelector("form");
    form.reset();
    dialog.querySelector("h2").textContent = `${label} order No. ${card.dataset.number}`;
    dialog.querySelector("[value=yes]").textContent = `${label} the order`;
    dialog.querySelector(".problem").hidden = true;
    const number = card.querySelector('a[href^="tel:"]');
    const call = byId("reason-call");
    call.hidden = !number;
    if (number) [call.href, call.textContent] = [number.href, number.textContent];
    dialog.showModal();
}

dialog.querySelector("[name=other]").addEventListener("input", () => (byId("other-reason").checked = true));
byId("reason-back").addEventListener("click", () => dialog.close());
dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const chosen = form.querySelector("[name=reason]:checked");
    const reason = chosen?.value || form.elements.other.value.trim();
    const problem = dialog.querySelector(".problem");
    if (!reason) {
        [problem.textContent, problem.hidden] = [t("Choose a reason, or enter one."), false];
        return;
    }
    const button = dialog.querySelector("[value=yes]");
    button.disabled = true;
    const isDone = await press(asked.card, "move", { ...asked.fields, reason }, problem);
    button.disabled = false;
    if (isDone) dialog.close();
});

// Connection

const handlers = { order: showOrder, board: showBoard };
for (const { name, data, id } of JSON.parse(byId("board-events").textContent)) handlers[name](data, id);
const feed = follow(board.dataset.feed, {
    events: handlers,
    state: (state) => showConnection(state, board.dataset.login),
});
setInterval(tick, 1000);
