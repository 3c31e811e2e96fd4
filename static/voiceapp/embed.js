/**
 * A button on any website that opens an organization's call page in a frame:
 * <script src="https://voice.example.com/static/voiceapp/embed.js" data-page="https://voice.example.com/call/slug" async></script>
 * `data-label` is the button's text, `data-title` the frame's name. The site stands in the page's settings, or the
 * browser shows nothing. A plain script, without dependencies; its styles are in a shadow root of its own.
 */
(() => {
    "use strict";
    const script = document.currentScript;
    const page = script && script.dataset.page;
    if (!page) {
        console.error("voiceapp: the script needs data-page, the address of the call page.");
        return;
    }
    const host = document.createElement("span");
    host.className = "voiceapp-call";
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
        button { font: 600 1rem/1.2 system-ui, sans-serif; min-height: 44px; padding: .6rem 1.2rem; border: 0;
                 border-radius: 22px; color: #fff; background: #0f766e; cursor: pointer; }
        button:focus-visible { outline: 3px solid #f59e0b; outline-offset: 2px; }
        dialog { width: min(30rem, 100vw - 1rem); height: min(44rem, 100vh - 1rem); padding: 0; border: 0;
                 border-radius: 12px; overflow: hidden; flex-direction: column; box-shadow: 0 8px 40px #0006; }
        dialog[open] { display: flex; }
        dialog button { align-self: flex-end; margin: .4rem; color: #111; background: #e5e7eb; }
        iframe { flex: 1; width: 100%; border: 0; }
    `);
    root.adoptedStyleSheets = [sheet];

    const button = element("button", { type: "button", textContent: script.dataset.label || "Call us" });
    const dialog = element("dialog", { ariaLabel: script.dataset.title || "Call" });
    const close = element("button", { type: "button", textContent: "Close" });
    dialog.append(close);
    root.append(button, dialog);

    button.addEventListener("click", () => {
        const frame = element("iframe", { src: page, title: script.dataset.title || "Call", allow: "microphone; autoplay" });
        dialog.append(frame);
        dialog.showModal();
    });
    // Without its frame the page is gone, and with it the call.
    dialog.addEventListener("close", () => dialog.querySelector("iframe")?.remove());
    close.addEventListener("click", () => dialog.close());
    script.after(host);

    function element(name, properties) {
        return Object.assign(document.createElement(name), properties);
    }
})();
