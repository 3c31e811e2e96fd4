/** The running order or appointment, the response times, and how the call ended. All text comes from the server. */

import { number, t } from "../texts.mjs";

const TRIES = 10;
const TRY_EVERY_MS = 500;

const part = (id) => document.getElementById(id);

export function clearCards() {
    part("summary").hidden = part("order-card").hidden = part("appointment-card").hidden = true;
    part("latency").hidden = part("call-log").hidden = true;
    part("order-lines").replaceChildren();
    part("order-submitted").textContent = part("appointment-made").textContent = "";
}

/** `progress`: the body of `GET calls/<callId>`. */
export function showProgress(progress) {
    showOrder(progress);
    showAppointment(progress);
    showLatency(progress.responseMs);
}

/** The server may write the end a moment later. `isNewest()`: no other call has begun meanwhile. */
export async function summarize({ read, isOver, isNewest }) {
    for (let tries = 1; tries <= TRIES && isNewest(); tries++) {
        const progress = await read();
        if (progress && (isOver(progress) || tries === TRIES) && isNewest()) {
            showProgress(progress);
            return showSummary(progress);
        }
        await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
    }
}

function showSummary(progress) {
    const { endReason, durationS, responseMs, logUrl, cost } = progress;
    const times = responseMs.length ? ` ${t("Response times: %(times)s.", { times: responseMs.map(seconds).join(", ") })}` : "";
    part("summary-text").textContent = `${endReason || t("Ended")}. ${length(durationS)}.${times}`;
    part("summary-cost").hidden = cost === undefined;
    part("summary-cost").textContent = cost == null ? t("Cost: not known yet.") : t("Cost: %(cost)s US dollars.", { cost: number(Number(cost), 4) });
    part("summary-order").textContent = outcome(progress);
    part("call-log").hidden = !logUrl;
    if (logUrl) part("call-log").href = logUrl;
}

function outcome({ submitted, appointment, order }) {
    if (submitted) return t("Order %(number)s: %(total)s.", { number: submitted.number, total: money(submitted) });
    if (appointment?.number) return t("Appointment %(number)s: %(service)s, %(when)s.", appointment);
    return order ? t("Nothing was ordered: the order was not confirmed.") : t("Nothing was ordered or booked.");
}

function showOrder({ order, submitted }) {
    if (!order && !submitted) return;
    part("order-card").hidden = false;
    if (order) {
        const before = new Set([...part("order-lines").children].map((line) => line.textContent));
        const isFirst = before.size === 0;
        const lines = order.lines.map(({ quantity, size, item, modifiers, note, price }) => {
            const line = document.createElement("li");
            const what = [[size, item].filter(Boolean).join(" "), ...modifiers, note].filter(Boolean).join(", ");
            line.textContent = `${quantity} × ${what}: ${price}`;
            line.classList.toggle("changed", !isFirst && !before.has(line.textContent));
            return line;
        });
        part("order-lines").replaceChildren(...lines);
        part("order-total").textContent = t("Total %(total)s", { total: money(order) });
    }
    say("order-submitted", submitted && t("Order %(number)s was sent: %(total)s", { number: submitted.number, total: money(submitted) }));
}

function showAppointment({ appointment }) {
    if (!appointment) return;
    part("appointment-card").hidden = false;
    const facts = [
        [t("Service"), appointment.service],
        [t("When"), appointment.when],
        [t("Name"), appointment.name],
        [t("Vehicle"), appointment.vehicle],
        [t("Price"), appointment.price && `${appointment.price} ${appointment.currency}`],
    ];
    const shown = facts.filter(([, value]) => value);
    part("appointment-facts").replaceChildren(...shown.flatMap(([name, value]) => [made("dt", name), made("dd", value)]));
    say("appointment-made", appointment.number && t("Appointment %(number)s: %(state)s.", appointment));
}

function showLatency(times) {
    if (!times.length) return;
    part("latency").hidden = false;
    const rows = times.map((ms, index) => made("li", t("Turn %(number)s: %(time)s", { number: index + 1, time: seconds(ms) })));
    part("latency-turns").replaceChildren(...rows);
}

/** A live region speaks only when its text changes. */
function say(id, text) {
    if (text && part(id).textContent !== text) part(id).textContent = text;
}

function made(name, text) {
    const element = document.createElement(name);
    element.textContent = text;
    return element;
}

const money = ({ total, currency }) => `${total} ${currency}`;
const seconds = (ms) => `${number(ms / 1000, 1)} s`;
const length = (s) => (s < 60 ? `${s ?? 0} s` : `${Math.floor(s / 60)} min ${s % 60} s`);
