/** The dialogs of the day plan: an appointment with its buttons, and the forms that move, cancel and book. */

const byId = (id) => document.getElementById(id);

export function makeDialogs({ appointments, press, texts, day, nowS }) {
    const details = byId("details");
    let opened = ""; // the appointment of the dialogs

    const problemOf = (dialog) => dialog.querySelector(".problem");
    const whatOf = (id) => {
        const { number, name } = appointments.get(id);
        return `${texts.appointment.replace("{number}", number)}: ${name}`;
    };

    // An appointment

    function open(id) {
        opened = id;
        problemOf(details).hidden = true;
        fill(appointments.get(id));
        details.showModal();
    }

    function fill(data) {
        const content = details.querySelector(".content");
        const had = content.contains(document.activeElement) ? document.activeElement.dataset.do : "";
        details.dataset.state = data.state;
        content.innerHTML = data.details; // from our own template, which has escaped every name
        hideLateUndo(nowS());
        if (had) (content.querySelector(`[data-do="${had}"]`) ?? details.querySelector("[data-close]")).focus();
    }

    /** As the feed brings it; null: it is no longer on this day. */
    function update(id, data) {
        if (id !== opened || !details.open) return;
        if (data) return fill(data);
        details.close();
        byId("news").textContent = texts.gone;
    }

    function hideLateUndo(now) {
        for (const button of details.querySelectorAll("[data-until]")) button.hidden = Number(button.dataset.until) < now;
    }

    details.addEventListener("click", async (event) => {
        const button = event.target.closest("[data-do]");
        if (!button) return;
        const { do: what, to, seen, event: undone } = button.dataset;
        if (what === "move") return move();
        if (what === "cancel") return cancel();
        await sent(details, `appointments/${opened}/${what}`, what === "undo" ? { event: undone } : { to, seen });
    });

    /** Whether it was done: then the dialog is closed, and its appointment has the focus again. */
    async function sent(dialog, address, fields) {
        const buttons = dialog.querySelectorAll("button");
        for (const each of buttons) each.disabled = true;
        const isDone = await press(address, fields, problemOf(dialog));
        for (const each of buttons) each.disabled = false;
        if (isDone) dialog.close();
        // Who has read what somebody else did, and presses again, has decided.
        else if (appointments.has(opened)) dialog.dataset.seen = appointments.get(opened).version;
        return isDone;
    }

    // Forms

    function ask(dialog, values) {
        const form = dialog.querySelector("form");
        form.reset();
        for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
        const what = dialog.querySelector("[data-what]");
        if (what) what.textContent = whatOf(opened);
        problemOf(dialog).hidden = true;
        details.close();
        dialog.showModal();
    }

    function move() {
        const { date, time } = appointments.get(opened);
        ask(byId("move"), { day: date, time });
        byId("move").dataset.seen = appointments.get(opened).version;
    }

    function cancel() {
        ask(byId("cancel"), {});
        byId("cancel").dataset.seen = appointments.get(opened).version;
    }

    function book({ resource = "", time = "" }) {
        opened = "";
        ask(byId("book"), { day, resource, time });
        // A repeated click books nothing twice.
        byId("book").dataset.key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16)).join("");
    }

    const fieldsOf = (form) => Object.fromEntries(new FormData(form));

    function onSubmit(dialog, submit) {
        dialog?.querySelector("form").addEventListener("submit", async (event) => {
            event.preventDefault();
            await submit(event.currentTarget);
        });
    }
    onSubmit(byId("move"), (form) =>
        sent(byId("move"), `appointments/${opened}/move`, { ...fieldsOf(form), seen: byId("move").dataset.seen }),
    );
    onSubmit(byId("cancel"), (form) => {
        const { reason = "", other } = fieldsOf(form);
        const fields = { reason: reason || other, seen: byId("cancel").dataset.seen };
        return sent(byId("cancel"), `appointments/${opened}/cancel`, fields);
    });
    onSubmit(byId("book"), (form) => sent(byId("book"), "book", { ...fieldsOf(form), key: byId("book").dataset.key }));

    byId("cancel")
        ?.querySelector("[name=other]")
        .addEventListener("input", () => (byId("other-reason").checked = true));
    for (const button of document.querySelectorAll("[data-close]")) {
        button.addEventListener("click", () => button.closest("dialog").close());
    }
    for (const dialog of document.querySelectorAll("dialog")) {
        dialog.addEventListener("close", () => {
            if (document.querySelector("dialog[open]") || !opened) return;
            document.querySelector(`.card[data-appointment="${opened}"] button`)?.focus();
        });
    }

    return { open, update, hideLateUndo, book };
}
