/**
 * Drags a card to another time or column: at once with a mouse or a pen, after a long press with a finger, which
 * otherwise scrolls. Escape puts it back. The form "Move" does the same without a pointer. A phone shows one column:
 * a card that is held at the side turns to the next one.
 */

const LONG_PRESS_MS = 400;
const SLOP_PX = 6;
const STEP = 5; // minutes
const EDGE_PX = 60;
const SCROLL_PX = 12;
const SIDE_PX = 28;
const TURN_MS = 500;

export function makeDragging({ columns, texts, data, drop, over }) {
    const scroller = document.getElementById("plan");
    let press = null; // before it is a drag
    let drag = null;
    let isClickOfDrag = false; // nothing was pressed since: the next click by pointer is the end of the drag itself

    scroller.addEventListener("pointerdown", (event) => {
        isClickOfDrag = false;
        const card = event.target.closest(".card.movable");
        if (!card || !event.isPrimary || event.button !== 0 || drag) return;
        press = { card, x: event.clientX, y: event.clientY, pointer: event.pointerId, isTouch: event.pointerType === "touch" };
        if (press.isTouch) press.timer = setTimeout(() => begin(press.x, press.y), LONG_PRESS_MS);
    });
    addEventListener("pointermove", (event) => {
        if (drag) return follow(event);
        if (!press || event.pointerId !== press.pointer) return;
        if (Math.hypot(event.clientX - press.x, event.clientY - press.y) < SLOP_PX) return;
        if (press.isTouch) return forget(); // it scrolls
        begin(press.x, press.y);
        follow(event);
    });
    addEventListener("pointerup", (event) => (drag ? end(event) : forget()));
    addEventListener("pointercancel", () => (drag ? putBack() : forget()));
    addEventListener("keydown", (event) => {
        if (!drag || event.key !== "Escape") return;
        event.preventDefault();
        putBack();
    });
    // A page that scrolls below a held finger would take the drag away.
    addEventListener("touchmove", (event) => drag && event.preventDefault(), { passive: false });
    scroller.addEventListener("contextmenu", (event) => press?.isTouch && event.preventDefault());
    scroller.addEventListener("dragstart", (event) => event.preventDefault());

    function forget() {
        clearTimeout(press?.timer);
        press = null;
    }

    function begin(x, y) {
        const { card, pointer } = press;
        const id = card.dataset.appointment;
        const box = card.getBoundingClientRect();
        const ghost = columns.make("div", "ghost");
        const seen = data(id).version;
        drag = { id, card, pointer, seen, grabbed: y - box.top, x, y, body: card.closest(".body"), ghost };
        forget();
        getSelection().removeAllRanges();
        card.classList.add("dragged");
        scroller.classList.add("dragging");
        navigator.vibrate?.(10);
        drag.timer = setInterval(() => [scroll(), turn()], 30);
        show(x, y);
    }

    function follow(event) {
        if (event.pointerId !== drag.pointer) return;
        [drag.x, drag.y] = [event.clientX, event.clientY];
        show(drag.x, drag.y);
    }

    function show(x, y) {
        const under = document.elementsFromPoint(x, y).find((each) => each.classList.contains("body"));
        drag.body = under ?? drag.body;
        const { begin: first, end: last } = data(drag.id);
        drag.minute = columns.minuteAt(y - drag.grabbed, STEP, Math.round);
        drag.ghost.textContent = texts.dropAt
            .replace("{time}", columns.clockOf(drag.minute))
            .replace("{resource}", columns.nameOf(drag.body.dataset.column));
        columns.at(drag.ghost, drag.minute, drag.minute + last - first);
        drag.body.append(drag.ghost);
    }

    function scroll() {
        const box = scroller.getBoundingClientRect();
        const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
        const by = drag.y < top + EDGE_PX ? -SCROLL_PX : drag.y > bottom - EDGE_PX ? SCROLL_PX : 0;
        if (!by) return;
        if (scroller.scrollHeight > scroller.clientHeight) scroller.scrollTop += by;
        else scrollBy(0, by);
        show(drag.x, drag.y);
    }

    function turn() {
        const side = drag.x < SIDE_PX ? -1 : drag.x > innerWidth - SIDE_PX ? 1 : 0;
        const isSame = side === drag.side;
        if (!isSame) [drag.side, drag.sideSince] = [side, performance.now()];
        if (!side || !isSame || performance.now() - drag.sideSince < TURN_MS) return;
        drag.sideSince = performance.now();
        const body = columns.turn(side);
        if (!body) return;
        drag.body = body; // the pointer may be beside it
        show(drag.x, drag.y);
    }

    /** The ghost stays until the server has answered; then the card is where it belongs. */
    async function end(event) {
        if (event.pointerId !== drag.pointer) return;
        const { id, card, ghost, minute, body, seen } = drag;
        const isElsewhere = minute !== data(id).begin || body !== card.closest(".body");
        finish();
        if (isElsewhere) {
            card.classList.add("saving");
            await drop(id, minute, body.dataset.column, seen);
        }
        ghost.remove();
        card.classList.remove("saving", "dragged");
    }

    function putBack() {
        const { card, ghost } = drag;
        finish();
        columns.show(card.closest(".body").dataset.column);
        ghost.remove();
        card.classList.remove("dragged");
    }

    function finish() {
        clearInterval(drag.timer);
        scroller.classList.remove("dragging");
        drag = null;
        isClickOfDrag = true;
        over();
    }

    return {
        isActive: () => drag !== null,
        /** The click that a browser sends after a drag opens nothing. */
        isEndedBy: (click) => click.detail > 0 && isClickOfDrag, // one by keyboard has no detail
    };
}
