/** Shows whether a board is live, and what to do where it is not. */

import { texts } from "./texts.mjs";

const byId = (id) => document.getElementById(id);

/** The `state` of a feed (feed.mjs). `login` is the page of the sign-in. */
export function showConnection(state, login) {
    const connection = byId("connection");
    connection.dataset.state = state;
    connection.textContent = texts.states[state];
    const banner = byId("offline");
    banner.hidden = !(state in texts.banners);
    banner.textContent = texts.banners[state] ?? "";
    if (state !== "signed out") return;
    const link = document.createElement("a");
    link.href = `${login}?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.target = "_blank";
    link.textContent = texts.signInAgain;
    banner.append(" ", link);
}
