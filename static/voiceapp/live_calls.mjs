/** The list of live calls: rows come, change and go by the feed; durations count here. */

import { follow } from "./feed.mjs";
import { countDurations, showConnection } from "./live_time.mjs";

const page = document.getElementById("live-calls");
const table = document.getElementById("calls");
const body = table.tBodies[0];

follow(page.dataset.feed, {
    events: { call: (data, id) => showRow(data.html, id), calls: (data) => showOrder(data.ids) },
    state: showConnection,
});
countDurations();

/** A row keeps its place and the focus of its link. */
function showRow(html, id) {
    const template = document.createElement("template");
    template.innerHTML = html; // rendered by the server, which has escaped it
    const row = template.content.querySelector("tr");
    const old = rowOf(id);
    const hadFocus = old?.contains(document.activeElement);
    if (old) old.replaceWith(row);
    else body.prepend(row);
    if (hadFocus) row.querySelector("a").focus();
    countDurations.now();
}

function showOrder(ids) {
    for (const row of [...body.rows]) if (!ids.includes(row.dataset.call)) row.remove();
    const now = [...body.rows].map((row) => row.dataset.call);
    if (now.join() !== ids.join()) body.append(...ids.map(rowOf).filter(Boolean));
    document.getElementById("count").textContent = ids.length;
    table.hidden = ids.length === 0;
    document.getElementById("nobody").hidden = ids.length > 0;
}

function rowOf(id) {
    return body.querySelector(`tr[data-call="${CSS.escape(id)}"]`);
}
