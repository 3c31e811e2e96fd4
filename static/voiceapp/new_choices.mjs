/** A choice that was made in a pop-up joins the boxes of its field, ticked: Django knows this of select fields alone. */

const add = window.dismissAddRelatedObjectPopup;

window.dismissAddRelatedObjectPopup = (popup, id, name) => {
    const fieldId = popup.name.replace(/(__\d+)+$/, "");
    const link = document.getElementById(`add_${fieldId}`);
    if (!link?.dataset.newChoicesOf) {
        add(popup, id, name);
        return;
    }
    const label = document.createElement("label");
    label.className = "va-choice";
    const box = document.createElement("input");
    Object.assign(box, { type: "checkbox", name: link.dataset.newChoicesOf, value: id, checked: true });
    label.append(box, ` ${name}`);
    document.getElementById(fieldId).append(label);
    box.dispatchEvent(new Event("change", { bubbles: true }));
    popup.close();
};
