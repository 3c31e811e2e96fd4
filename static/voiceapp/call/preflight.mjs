/** What can be known before the call: is the page secure, may it use the microphone, is the agent's service reachable. */

const SIGNS = { yes: "✓", no: "✗", unknown: "•" };

export class Preflight {
    constructor(list) {
        this.list = list;
    }

    /** Without asking anybody for anything. Returns false if no call can work here. */
    async look() {
        const isSecure = isSecureContext && Boolean(navigator.mediaDevices);
        this.#show("secure", isSecure ? "yes" : "no", isSecure ? "The page is secure." : "The page is not secure: microphones need https.");
        const permission = await navigator.permissions?.query({ name: "microphone" }).catch(() => null);
        if (permission) {
            this.#showPermission(permission.state);
            permission.onchange = () => this.#showPermission(permission.state);
        } else this.#show("microphone", "unknown", "Your browser asks for the microphone when the call begins.");
        return isSecure;
    }

    /** With a request to the service of the way, if it is not ours. */
    async reach(address) {
        this.#show("network", "unknown", "Looking for the voice service…");
        const isThere = !address || (await fetch(address, { mode: "no-cors", cache: "no-store" }).then(() => true, () => false));
        const isOnline = navigator.onLine && isThere;
        this.#show("network", isOnline ? "yes" : "no", isOnline ? "The voice service can be reached." : "The voice service cannot be reached from your network.");
    }

    heard(isHeard) {
        if (isHeard) this.#show("microphone", "yes", "Your microphone hears you.");
        else this.#show("microphone", "unknown", "Say something: the meter should move.");
    }

    #showPermission(state) {
        const says = {
            granted: ["yes", "The microphone is allowed."],
            denied: ["no", "The microphone is blocked for this site. Click the icon left of the address and allow it."],
            prompt: ["unknown", "Your browser will ask for the microphone: the agent hears you with it, during the call only."],
        };
        this.#show("microphone", ...says[state]);
    }

    #show(name, sign, text) {
        const line = this.list.querySelector(`[data-check=${name}]`);
        line.dataset.sign = sign;
        line.textContent = `${SIGNS[sign]} ${text}`;
        line.hidden = false;
    }
}
