/** Every problem of the call page: what happened and what to do, in one table. */

const system = () => {
    if (/Mac|iPhone|iPad/.test(navigator.userAgent)) return " On Apple devices, also look at Settings → Privacy → Microphone.";
    if (/Windows/.test(navigator.userAgent)) return " On Windows, also look at Settings → Privacy → Microphone.";
    return "";
};
const request = ({ requestId }) => (requestId ? ` (Request ${requestId})` : "");
const wait = ({ seconds }) => (seconds > 90 ? `${Math.ceil(seconds / 60)} minutes` : `${seconds} seconds`);

/**
 * `say`: the sentence, or a function of the facts. `retry`: calling again may help. `signIn`: a link to do so.
 * `type`: the call can go on, or begin, without a microphone. `diagnose`: facts for the one who helps.
 */
export const PROBLEMS = {
    insecure: {
        say: () =>
            `Calls need a secure page. Open https://${location.host}${location.pathname}, or use http://localhost on this computer.`,
    },
    browser_too_old: { say: "This browser cannot make calls. Update it, or open this page in another one." },
    microphone_blocked: {
        say: () =>
            `The microphone is blocked for this site. Click the icon left of the address, allow Microphone, then Try again.${system()}`,
        retry: true,
        type: true,
    },
    microphone_forbidden: {
        say: "The site around this call does not let it use the microphone. Its owner adds allow=\"microphone\" to the frame; or type instead.",
        type: true,
    },
    microphone_absent: {
        say: "No microphone found. Plug one in or pick another device, or type instead.",
        retry: true,
        type: true,
    },
    microphone_busy: {
        say: "Another program is using the microphone. Close it and try again.",
        retry: true,
        type: true,
    },
    microphone_lost: {
        say: "The microphone was taken away. Plug it in or pick another device below; the call goes on, and you can type.",
    },
    microphone_unusable: {
        say: ({ name }) => `The microphone cannot be used (${name}). Pick another device, or type instead.`,
        retry: true,
        type: true,
    },
    signed_out: { say: "You are signed out. Sign in again, then call. What was said and ordered is kept.", signIn: true },
    not_allowed: {
        say: ({ message }) => message || "You have no right to call this agent. Ask an owner or manager of the organization.",
    },
    limited: {
        say: (facts) =>
            facts.seconds ? `Too many calls were started. Try again in ${wait(facts)}.` : "Too many calls were started. Try again in a minute.",
        retry: true,
    },
    refused: { say: ({ message }) => message, retry: true },
    provider_down: {
        say: (facts) =>
            `The voice service is not available${facts.message ? `: ${facts.message.replace(/\.$/, "")}` : ""}. Try again in a minute.${request(facts)}`,
        retry: true,
    },
    unreachable: { say: "This server cannot be reached. Check your network, then try again.", retry: true },
    provider_unreachable: {
        say: "The voice provider cannot be reached from your network. Check the network or its firewall, then try again.",
        retry: true,
        diagnose: true,
    },
    ticket_expired: { say: "The call ticket expired. Start again.", retry: true },
    network_blocks_calls: {
        say: "Your network blocks calls (UDP). Try another network, or another way to call.",
        retry: true,
        diagnose: true,
    },
    agent_silent: { say: "The agent did not answer. Try again in a minute.", retry: true, diagnose: true },
    connection_lost: {
        say: "The connection was lost, and did not come back. Check your network, then call again.",
        retry: true,
        diagnose: true,
    },
    provider_gone: {
        say: "The voice provider ended the call unexpectedly. Call again; if it happens again, try another way to call.",
        retry: true,
        diagnose: true,
    },
    other_tab: { say: "You are in a call in another tab. End it there, then try again.", retry: true },
    unexpected: {
        say: "Something went wrong on this page. Reload it; if it happens again, try another way to call.",
        retry: true,
        diagnose: true,
    },
    library_missing: {
        say: "The room's program could not be loaded. Reload the page, or choose another way to call.",
        diagnose: true,
    },
};

/** A row of the table with its facts. `status` and others of `facts` are for diagnostics. */
export class Problem extends Error {
    constructor(code, facts = {}) {
        const row = PROBLEMS[code];
        super(typeof row.say === "function" ? row.say(facts) : row.say);
        Object.assign(this, { code, facts, retry: false, signIn: false, type: false, diagnose: false }, row);
    }
}

const OF_DEVICES = {
    NotAllowedError: "microphone_blocked",
    SecurityError: "microphone_blocked",
    NotFoundError: "microphone_absent",
    NotReadableError: "microphone_busy",
    AbortError: "microphone_busy",
};

/** What getUserMedia rejects with. */
export function problemOfDevice(error) {
    if (error.name === "NotAllowedError" && document.featurePolicy?.allowsFeature("microphone") === false) {
        return new Problem("microphone_forbidden");
    }
    return new Problem(OF_DEVICES[error.name] ?? "microphone_unusable", { name: error.name });
}

/** Codes that say no more than their status. */
const PLAIN = new Set(["", "rate_limited", "too_many_requests", "unavailable", "service_unavailable"]);

/** What a response of our server says. Its own sentence is shown where it knows more than the status. */
export function problemOfResponse(response, body) {
    const { status, headers } = response;
    const code = body.error_code ?? body.code ?? body.error?.code ?? "";
    const message = body.message ?? body.error?.message ?? body.detail ?? "";
    const seconds = Number(headers.get("Retry-After")) || 0;
    const facts = { status, code, message, seconds, requestId: headers.get("X-Request-ID") ?? "" };
    if (status === 401 || /^CSRF/.test(message)) return new Problem("signed_out", facts);
    if (status === 404) return new Problem("not_allowed", { ...facts, message: "" });
    if (status === 403) return new Problem("not_allowed", facts);
    if ((status === 429 || status === 503) && message && !PLAIN.has(code)) return new Problem("refused", facts);
    if (status === 429) return new Problem("limited", facts);
    if (status >= 500) return new Problem("provider_down", facts);
    return new Problem("refused", { ...facts, message: message || "The call could not be started. Try again." });
}
