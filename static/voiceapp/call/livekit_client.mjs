/** livekit-client has no module without a bundler: its script defines a global. */

/** Rejects where the file is missing. */
export function load(address) {
    if (globalThis.LivekitClient) return Promise.resolve(globalThis.LivekitClient);
    return new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = address;
        script.addEventListener("load", () => resolve(globalThis.LivekitClient));
        script.addEventListener("error", reject);
        document.head.append(script);
    });
}
