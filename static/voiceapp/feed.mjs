/**
 * Follows a feed of the server (docs/reference/feeds.md): server-sent events, and polling of the same address while
 * they do not come through.
 *
 *     const feed = follow("/admin/orders/…/feed", {
 *         events: { orders(data, id) { … } },   // by name; the whole state comes first after every connection
 *         state(name, message) { … },           // "connecting", "online", "catching up", "offline", "signed out", "no access"
 *     });
 *     feed.refresh();                           // read now, after an action of this page
 *     feed.close();
 */

const SILENT_MS = 40_000; // the server sends a beat every 15 s
const POLL_MS = 3000;
const READ_WITHIN_MS = 15_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10_000;
const REFUSED = { 401: "signed out", 403: "no access", 404: "no access" };

export function follow(address, { events, state = () => {} }) {
    let source = null;
    let shown = "";
    let wait = FIRST_WAIT_MS;
    let heardAt = Date.now();
    let isClosed = false;
    let isPolling = false;
    let polled = null;
    let again = 0;

    const show = (name, message = "") => {
        if (name !== shown) state((shown = name), message);
    };
    const take = (name, data, id) => {
        heardAt = Date.now();
        events[name]?.(data, id);
    };

    function connect() {
        if (isClosed) return;
        drop();
        if (shown === "") show("connecting");
        source = new EventSource(address);
        source.onopen = () => {
            heardAt = Date.now();
            if (shown === "offline") show("catching up");
        };
        source.onerror = () => fail();
        for (const name of Object.keys(events)) {
            source.addEventListener(name, (event) => {
                take(name, JSON.parse(event.data), event.lastEventId);
                wait = FIRST_WAIT_MS;
                show("online");
            });
        }
        source.addEventListener("beat", () => {
            heardAt = Date.now();
            show("online");
        });
        source.addEventListener("end", (event) => {
            drop();
            if (JSON.parse(event.data).why === "again") connect();
            else fail();
        });
    }

    function drop() {
        clearTimeout(again);
        source?.close();
        source = null;
    }

    /** The stream does not come through: poll until the next attempt, which also tells why. */
    async function fail() {
        drop();
        const reached = await poll();
        if (isClosed) return;
        const until = Date.now() + wait * (0.5 + Math.random());
        wait = Math.min(wait * 2, LONGEST_WAIT_MS);
        const next = async () => {
            if (isClosed || source) return;
            if (Date.now() >= until) connect();
            else {
                if (reached) await poll();
                again = setTimeout(next, Math.min(POLL_MS, Math.max(50, until - Date.now())));
            }
        };
        clearTimeout(again);
        again = setTimeout(next, Math.min(POLL_MS, wait));
    }

    /** Whether the server answered. */
    async function poll() {
        if (isPolling || isClosed) return true;
        isPolling = true;
        polled = read();
        return polled;
    }

    /** What is read already may have begun before the action after which this one is wanted. */
    async function refresh() {
        while (isPolling) await polled;
        return poll();
    }

    async function read() {
        try {
            const url = new URL(address, location.href);
            url.searchParams.set("poll", "1");
            const response = await fetch(url, {
                headers: { Accept: "application/json" },
                cache: "no-store",
                signal: AbortSignal.timeout(READ_WITHIN_MS),
            });
            const body = await response.json().catch(() => ({}));
            if (isClosed) return true;
            if (!response.ok) show(REFUSED[response.status] ?? "offline", body.message);
            else {
                if (shown === "offline") show("catching up");
                for (const { name, data, id } of body.events) take(name, data, id);
                show("online");
            }
            return response.status < 500;
        } catch {
            show("offline");
            return false;
        } finally {
            isPolling = false;
        }
    }

    function look() {
        if (isClosed || document.visibilityState === "hidden") return;
        if (Date.now() - heardAt > SILENT_MS) {
            heardAt = Date.now();
            connect();
        }
    }

    const reconnect = () => {
        wait = FIRST_WAIT_MS;
        connect();
    };
    const away = () => show("offline");
    const timer = setInterval(look, 5000);
    addEventListener("online", reconnect);
    addEventListener("offline", away);
    document.addEventListener("visibilitychange", look);
    connect();

    return {
        refresh,
        close() {
            isClosed = true;
            drop();
            clearInterval(timer);
            removeEventListener("online", reconnect);
            removeEventListener("offline", away);
            document.removeEventListener("visibilitychange", look);
        },
    };
}
