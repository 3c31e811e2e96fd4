/** The columns of the day plan: hours, what is closed, and the cards, placed by minutes since midnight. */

const byId = (id) => document.getElementById(id);
const NARROW = matchMedia("(max-width: 699px)");
// The shortest appointment is still read, and pressed with a finger on a phone.
const SHORTEST_PX = 46;
const SCALE = { least: 1.5, most: 5 }; // px per minute

export function makeColumns({ texts, edits }) {
    const grid = byId("grid");
    const cards = new Map(); // by appointment: Map of column to card
    let plan = null;
    let drawn = "";
    let shown = ""; // the column of a narrow screen
    let scale = SCALE.least;

    const bodies = () => [...grid.querySelectorAll(".body")];
    const at = (element, begin, end) => {
        element.style.setProperty("--from", begin - plan.first);
        element.style.setProperty("--for", Math.max(end - begin, 1));
    };

    function make(tag, className, text = "") {
        const element = document.createElement(tag);
        element.className = className;
        element.textContent = text;
        return element;
    }

    /** Anew where the columns have changed; the cards stay the same elements. */
    function draw(data, appointments) {
        plan = data;
        const { title, hours, appointments: ids, ...frame } = data;
        const now = JSON.stringify(frame);
        if (now !== drawn) drawFrame();
        drawn = now;
        for (const [id, each] of appointments) place(id, each);
        measure();
    }

    function drawFrame() {
        grid.replaceChildren(gutterOf());
        grid.style.setProperty("--columns", plan.columns.length);
        grid.style.setProperty("--minutes", plan.end - plan.first);
        for (const column of plan.columns) grid.append(...columnOf(column));
        cards.clear();
        drawSwitch();
    }

    function gutterOf() {
        const gutter = make("div", "gutter");
        gutter.setAttribute("aria-hidden", "true");
        for (const [minute, name] of plan.marks) {
            const mark = make("span", "mark", name);
            at(mark, minute, minute + 60);
            gutter.append(mark);
        }
        return gutter;
    }

    function columnOf(column) {
        const head = make("div", "head");
        head.dataset.of = column.id;
        const name = make("h3", "");
        const own = document.createElement("bdi");
        own.textContent = column.name;
        name.append(own, " ", make("span", "kind", column.kindName));
        head.append(name);
        if (edits) {
            const button = make("button", "");
            button.type = "button";
            button.dataset.book = column.id;
            button.setAttribute("aria-label", `${byId("book-any").textContent.trim()}: ${column.name}`);
            button.innerHTML = '<svg aria-hidden="true"><use href="#i-add"></use></svg>';
            head.append(button);
        }
        const body = make("div", "body");
        body.dataset.column = column.id;
        body.setAttribute("role", "group");
        body.setAttribute("aria-label", column.name);
        for (const [begin, end, why] of column.idle) {
            const [from, to] = [Math.max(begin, plan.first), Math.min(end, plan.end)];
            if (from >= to) continue;
            const idle = make("div", "idle");
            idle.append(make("span", "", why));
            at(idle, from, to);
            body.append(idle);
        }
        return [head, body];
    }

    // A narrow screen shows one column, and which is a choice of this page

    function drawSwitch() {
        if (!plan.columns.some((each) => String(each.id) === shown)) shown = String(plan.columns[0]?.id ?? "");
        byId("switch").replaceChildren(
            ...plan.columns.map((column) => {
                const button = make("button", "", column.name);
                button.type = "button";
                button.dataset.show = column.id;
                return button;
            }),
        );
        show(shown);
    }

    function show(id) {
        shown = id;
        for (const element of grid.querySelectorAll(".head, .body")) {
            element.classList.toggle("shown", (element.dataset.column ?? element.dataset.of) === shown);
        }
        for (const button of byId("switch").children) {
            button.setAttribute("aria-pressed", String(button.dataset.show === shown));
        }
    }

    /** Shows the column beside the shown one, where only one is shown; its body, if there is one. */
    function turn(by) {
        const ids = plan.columns.map((each) => String(each.id));
        const next = NARROW.matches ? ids[ids.indexOf(shown) + by] : undefined;
        if (next === undefined) return null;
        show(next);
        return bodies().find((body) => body.dataset.column === next);
    }

    byId("switch").addEventListener("click", (event) => {
        const button = event.target.closest("[data-show]");
        if (button) show(button.dataset.show);
    });

    // Cards

    function place(id, data) {
        const known = cards.get(id) ?? new Map();
        const places = placesOf(data);
        const had = document.activeElement?.closest?.(`.card[data-appointment="${id}"]`);
        for (const [name, card] of known) {
            if (places.has(name)) continue;
            card.remove();
            known.delete(name);
        }
        for (const [name, parent] of places) {
            const card = known.get(name) ?? cardOf(id);
            known.set(name, card);
            fill(card, data);
            parent.append(card);
        }
        cards.set(id, known);
        sort(places);
        if (had && !had.isConnected) [...known.values()][0]?.querySelector("button").focus();
        measure();
        showSections();
    }

    /** Where its cards belong: in each column that does it, or beside them. */
    function placesOf(data) {
        if (data.state === "canceled") return new Map([["canceled", byId("beside-canceled").querySelector(".cards")]]);
        const found = data.columns
            .map((id) => [String(id), grid.querySelector(`.body[data-column="${id}"]`)])
            .filter(([, body]) => body);
        if (found.length) return new Map(found);
        return new Map([["unassigned", byId("beside-unassigned").querySelector(".cards")]]);
    }

    function cardOf(id) {
        const card = make("article", "card");
        card.dataset.appointment = id;
        const button = make("button", "open");
        button.type = "button";
        button.setAttribute("aria-haspopup", "dialog");
        card.append(button);
        return card;
    }

    function fill(card, data) {
        const button = card.querySelector("button");
        if (card.dataset.face !== data.face) {
            button.innerHTML = data.face; // from our own template, which has escaped every name
            card.dataset.face = data.face;
        }
        card.dataset.state = data.state;
        card.dataset.begin = data.begin;
        card.dataset.number = data.number;
        card.classList.toggle("movable", edits && data.isMovable && !data.isCut);
        at(card, data.begin, data.end);
    }

    /** In the order of time, for those who read or go through them one after the other. */
    function sort(places) {
        for (const parent of places.values()) {
            const all = [...parent.querySelectorAll(":scope > .card")];
            const sorted = all.toSorted((one, other) => one.dataset.begin - other.dataset.begin || one.dataset.number - other.dataset.number);
            if (sorted.some((each, index) => each !== all[index])) parent.append(...sorted);
        }
    }

    function remove(id) {
        for (const card of cards.get(id)?.values() ?? []) card.remove();
        cards.delete(id);
        showSections();
    }

    function showSections() {
        for (const name of ["canceled", "unassigned"]) {
            const section = byId(`beside-${name}`);
            const count = section.querySelectorAll(".card").length;
            section.hidden = !count;
            section.querySelector("h2").textContent = texts[name].replace("{count}", count);
        }
    }

    function measure() {
        const lengths = [...grid.querySelectorAll(".card")].map((card) => Number(card.style.getPropertyValue("--for")));
        scale = Math.min(SCALE.most, Math.max(SCALE.least, SHORTEST_PX / Math.min(60, ...lengths)));
        grid.style.setProperty("--px", `${scale}px`);
    }

    // Time

    function showNow(minute) {
        for (const line of grid.querySelectorAll(".now")) line.remove();
        if (minute < plan.first || minute >= plan.end) return;
        for (const body of bodies()) {
            const line = make("div", "now");
            at(line, minute, minute + 1);
            body.append(line);
        }
    }

    /** On the page or in its own scrolling part, so that the hour before is still seen. */
    function scrollTo(minute) {
        const first = Math.min(minute, ...[...grid.querySelectorAll(".body .card")].map((card) => Number(card.dataset.begin)));
        const wanted = minute >= plan.first && minute < plan.end ? minute : first;
        const top = Math.max(0, (wanted - 60 - plan.first) * scale);
        if (!Number.isFinite(top)) return;
        if (!NARROW.matches) byId("plan").scrollTop = top;
        // A phone's page scrolls itself: only to a time of today that would be out of sight.
        else if (wanted === minute && top > innerHeight / 2) window.scrollTo(0, grid.getBoundingClientRect().top + scrollY + top);
    }

    /** The minute of the day at that height of the window, rounded. */
    function minuteAt(clientY, step, round = Math.floor) {
        const top = bodies().find((body) => body.offsetHeight)?.getBoundingClientRect().top ?? 0;
        const minute = plan.first + (clientY - top) / scale;
        return Math.min(Math.max(round(minute / step) * step, plan.first), plan.end - step);
    }

    /** On the clock of the day: after a change of clocks the hours are counted from the last mark. */
    function clockOf(minute) {
        const mark = plan.marks.filter(([begin]) => begin <= minute).at(-1) ?? plan.marks[0];
        const [hour] = mark[1].split(":");
        return `${hour}:${String((minute - mark[0]) % 60).padStart(2, "0")}`;
    }

    const nameOf = (id) => plan.columns.find((each) => String(each.id) === String(id))?.name ?? "";
    return { draw, place, remove, show, turn, showNow, scrollTo, minuteAt, clockOf, nameOf, at, make };
}
