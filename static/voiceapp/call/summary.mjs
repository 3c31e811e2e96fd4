/** The running order or appointment, the response times, and how the call ended. All text comes from the server. */

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

export function showSummary(progress) {
    const { endReason, durationS, responseMs, logUrl, cost } = progress;
    const times = responseMs.length ? ` Response times: ${responseMs.map(seconds).join(", ")}.` : "";
    part("summary-text").textContent = `${endReason || "Ended"}. ${length(durationS)}.${times}`;
    part("summary-cost").hidden = cost === undefined;
    part("summary-cost").textContent = cost == null ? "Cost: not known yet." : `Cost: ${cost} US dollars.`;
    part("summary-order").textContent = outcome(progress);
    part("call-log").hidden = !logUrl;
    if (logUrl) part("call-log").href = logUrl;
}

function outcome({ submitted, appointment, order }) {
    if (submitted) return `Order ${submitted.number}: ${submitted.total} ${submitted.currency}.`;
    if (appointment?.number) return `Appointment ${appointment.number}: ${appointment.service}, ${appointment.when}.`;
    return order ? "Nothing was ordered: the order was not confirmed." : "Nothing was ordered or booked.";
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
        part("order-total").textContent = `Total ${order.total} ${order.currency}`;
    }
    say("order-submitted", submitted && `Order ${submitted.number} was sent: ${submitted.total} ${submitted.currency}`);
}

function showAppointment({ appointment }) {
    if (!appointment) return;
    part("appointment-card").hidden = false;
    const facts = [
        ["Service", appointment.service],
        ["When", appointment.when],
        ["Name", appointment.name],
        ["Vehicle", appointment.vehicle],
        ["Price", appointment.price && `${appointment.price} ${appointment.currency}`],
    ];
    const shown = facts.filter(([, value]) => value);
    part("appointment-facts").replaceChildren(...shown.flatMap(([name, value]) => [made("dt", name), made("dd", value)]));
    say("appointment-made", appointment.number && `Appointment ${appointment.number} is ${appointment.state}.`);
}

function showLatency(times) {
    if (!times.length) return;
    part("latency").hidden = false;
    const rows = times.map((ms, index) => made("li", `Turn ${index + 1}: ${seconds(ms)}`));
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

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const length = (s) => (s < 60 ? `${s ?? 0} s` : `${Math.floor(s / 60)} min ${s % 60} s`);
