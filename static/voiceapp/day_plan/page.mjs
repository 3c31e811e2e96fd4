/** The day plan: puts appointments into columns as the feed brings them, and sends what is dragged and pressed. */

import { send } from "../board/actions.mjs";
import { showConnection } from "../board/connection.mjs";
import { follow } from "../feed.mjs";
import { makeColumns } from "./columns.mjs";
import { makeDialogs } from "./dialogs.mjs";
import { makeDragging } from "./dragging.mjs";

const NEWS_FOR_MS = 20_000;
const byId = (id) => document.getElementById(id);
const texts = JSON.parse(byId("plan-texts").textContent);
const page = byId("plan");
const edits = page.dataset.edits === "yes";
const clockAhead = Date.now() / 1000 - Number(page.dataset.now);
const nowS = () => Date.now() / 1000 - clockAhead;
const appointments = new Map(); // by id: its data
const columns = makeColumns({ texts, edits });
const waiting = []; // what came during a drag
let plan = null;
let newsTimer = 0;

// What the feed brings

const handlers = {
    appointment(data, id) {
        const known = appointments.get(id);
        if (known && JSON.stringify(known) === JSON.stringify(data)) return;
        appointments.set(id, data);
        if (!plan) return;
        columns.place(id, data);
        dialogs.update(id, data);
        count();
    },
    plan(data) {
        if (JSON.stringify(plan) === JSON.stringify(data)) return;
        const isFirst = plan === null;
        plan = data;
        for (const id of [...appointments.keys()]) {
            if (data.appointments.includes(id)) continue;
            appointments.delete(id);
            columns.remove(id);
            dialogs.update(id, null);
        }
        byId("title").textContent = data.title;
        byId("hours").textContent = data.isFull ? `${data.hours} ${texts.full}` : data.hours;
        byId("empty").hidden = data.columns.length > 0;
        columns.draw(data, appointments);
        count();
        tick();
        if (isFirst) columns.scrollTo(nowMinute());
    },
};

/** A drag goes on while the feed brings changes: they are shown after it. */
function take(name, data, id) {
    if (dragging?.isActive()) waiting.push([name, data, id]);
    else handlers[name](data, id);
}

function count() {
    const all = [...appointments.values()].filter((each) => each.state !== "canceled").length;
    byId("count").textContent = all === 1 ? texts.one : texts.count.replace("{count}", all);
}

const nowMinute = () => Math.floor((nowS() - plan.beginsAt) / 60);

function tick() {
    if (!plan) return;
    columns.showNow(nowMinute());
    dialogs.hideLateUndo(nowS());
}

// What people do

/** Whether it was done. `problem` is where the sentence goes that says why not. */
async function press(address, fields, problem) {
    byId("trouble").hidden = true;
    problem.hidden = true;
    tell(texts.saving);
    const { ok, message } = await send(`${page.dataset.base}${address}`, fields);
    tell(ok ? message : "");
    await feed.refresh();
    const [, id, what] = address.split("/");
    if (ok && id && what !== "undo") offerUndo(id);
    problem.textContent = ok ? "" : message;
    problem.hidden = ok;
    return ok;
}

/** What was done, for a while: on a phone it stands over the plan. */
function tell(sentence) {
    clearTimeout(newsTimer);
    byId("news").textContent = sentence;
    newsTimer = setTimeout(() => (byId("news").textContent = ""), NEWS_FOR_MS);
}

/** Beside what was done, for as long as nothing else is. */
function offerUndo(id) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = texts.undo;
    button.addEventListener("click", () => {
        const event = appointments.get(id)?.undo; // as the feed knows it by now
        if (event) press(`appointments/${id}/undo`, { event }, byId("trouble"));
    });
    byId("news").append(" ", button);
}

const dialogs = makeDialogs({ appointments, press, texts, day: page.dataset.day, nowS });

/** `seen` is the version that was dragged: somebody else may have changed it meanwhile. */
async function drop(id, minute, column, seen) {
    const fields = { start: plan.beginsAt + minute * 60, resource: column, seen };
    const isMoved = await press(`appointments/${id}/move`, fields, byId("trouble"));
    if (!isMoved) byId("trouble").textContent = `${texts.notMoved} ${byId("trouble").textContent}`;
}

const dragging = edits
    ? makeDragging({
          columns,
          texts,
          data: (id) => appointments.get(id),
          drop,
          over() {
              for (const [name, data, id] of waiting.splice(0)) handlers[name](data, id);
          },
      })
    : null;

byId("grid").addEventListener("click", (event) => {
    const card = event.target.closest(".card");
    if (dragging?.isEndedBy(event)) return;
    if (card) return dialogs.open(card.dataset.appointment);
    const head = event.target.closest("[data-book]");
    if (head) return dialogs.book({ resource: head.dataset.book });
    const body = event.target.closest(".body");
    if (body && edits) {
        const minute = columns.minuteAt(event.clientY, 15);
        dialogs.book({ resource: body.dataset.column, time: columns.clockOf(minute) });
    }
});
for (const section of document.querySelectorAll(".beside")) {
    section.addEventListener("click", (event) => {
        const card = event.target.closest(".card");
        if (card) dialogs.open(card.dataset.appointment);
    });
}
byId("trouble").addEventListener("click", () => (byId("trouble").hidden = true));
byId("book-any")?.addEventListener("click", () => dialogs.book({}));
byId("print").addEventListener("click", () => print());
byId("day").addEventListener("change", () => byId("day").value && byId("pick").requestSubmit());

// Connection

for (const { name, data, id } of JSON.parse(byId("plan-events").textContent)) handlers[name](data, id);
const feed = follow(page.dataset.feed, {
    events: Object.fromEntries(Object.keys(handlers).map((name) => [name, (data, id) => take(name, data, id)])),
    state: (state) => showConnection(state, page.dataset.login),
});
setInterval(tick, 10_000);
