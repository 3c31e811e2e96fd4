/** Prints tickets by a hidden frame, and new orders by themselves where this device is asked to. */

import { t } from "../texts.mjs";

const WISHED = "voiceapp-board-print";
const PRINTED = "voiceapp-board-printed";
const MOST_KEPT = 300;
// An order that is older was printed before, or elsewhere.
const NEW_FOR_S = 10 * 60;
const GONE_AFTER_MS = 60_000;

function printed() {
    try {
        return JSON.parse(localStorage.getItem(PRINTED) ?? "[]");
    } catch {
        return [];
    }
}

/** One after the other: a printer's dialog stops the page. */
let last = Promise.resolve();

export function printTicket(address) {
    last = last.then(() => load(address)).catch(() => {});
    return last;
}

function load(address) {
    const frame = document.createElement("iframe");
    frame.className = "unseen";
    frame.title = t("Ticket");
    frame.src = `${address}?frame=1`;
    return new Promise((resolve) => {
        frame.addEventListener("load", () => {
            frame.contentWindow.print();
            document.body.dataset.printed = String(Number(document.body.dataset.printed ?? 0) + 1);
            resolve();
        });
        document.body.append(frame);
        setTimeout(() => {
            frame.remove();
            resolve();
        }, GONE_AFTER_MS);
    });
}

/** `box` is the device's choice. */
export function makeAutomaticPrinting(box) {
    box.checked = localStorage.getItem(WISHED) === "yes";
    box.addEventListener("change", () => {
        if (box.checked) localStorage.setItem(WISHED, "yes");
        else localStorage.removeItem(WISHED);
    });
    return {
        /** Print a new order once on this device. `age` in seconds. */
        offer(id, age, address) {
            if (!box.checked || age > NEW_FOR_S || printed().includes(id)) return;
            localStorage.setItem(PRINTED, JSON.stringify([...printed(), id].slice(-MOST_KEPT)));
            printTicket(address);
        },
    };
}
