/** Every problem of the call page: what happened and what to do, in one table. */

import { t } from "../texts.mjs";

const system = () => {
    if (/Mac|iPhone|iPad/.test(navigator.userAgent)) return ` ${t("On Apple devices, also look at Settings → Privacy → Microphone.")}`;
    if (/Windows/.test(navigator.userAgent)) return ` ${t("On Windows, also look at Settings → Privacy → Microphone.")}`;
    return "";
};
const request = ({ requestId }) => (requestId ? ` (${t("Request %(id)s", { id: requestId })})` : "");
const tooMany = ({ seconds }) => {
    if (!seconds) return t("Too many calls were started. Try again in a minute.");
    if (seconds > 90) return t("Too many calls were started. Try again in %(count)s minutes.", { count: Math.ceil(seconds / 60) });
    return t("Too many calls were started. Try again in %(count)s seconds.", { count: seconds });
};
const down = ({ message }) =>
    message
        ? t("The voice service is not available: %(reason)s. Try again in a minute.", { reason: message.replace(/\.$/, "") })
        : t("The voice service is not available. Try again in a minute.");

/**
 * `say`: the sentence, or a function of the facts. `retry`: calling again may help. `signIn`: a link to do so.
 * `type`: the call can go on, or begin, without a microphone. `diagnose`: facts for the one who helps.
 */
export const PROBLEMS = {
    insecure: {
        say: () =>
            t("Calls need a secure page. Open %(address)s, or use http://localhost on this computer.", {
                address: `https://${location.host}${location.pathname}`,
            }),
    },
    browser_too_old: { say: t("This browser cannot make calls. Update it, or open this page in another one.") },
    microphone_blocked: {
        say: () =>
            t("The microphone is blocked for this site. Click the icon left of the address, allow Microphone, then Try again.") +
            system(),
        retry: true,
        type: true,
    },
    microphone_forbidden: {
        say: t("The site around this call does not let it use the microphone. Its owner adds allow=\"microphone\" to the frame; or type instead."),
        type: true,
    },
    microphone_absent: {
        say: t("No microphone found. Plug one in or pick another device, or type instead."),
        retry: true,
        type: true,
    },
    microphone_busy: {
        say: t("Another program is using the microphone. Close it and try again."),
        retry: true,
        type: true,
    },
    microphone_lost: {
        say: t("The microphone was taken away. Plug it in or pick another device below; the call goes on, and you can type."),
    },
    microphone_unusable: {
        say: ({ name }) => t("The microphone cannot be used (%(name)s). Pick another device, or type instead.", { name }),
        retry: true,
        type: true,
    },
    signed_out: { say: t("You are signed out. Sign in again, then call. What was said and ordered is kept."), signIn: true },
    not_allowed: {
        say: ({ message }) => message || t("You have no right to call this agent. Ask an owner or manager of the organization."),
    },
    limited: {
        say: tooMany,
        retry: true,
    },
    refused: { say: ({ message }) => message, retry: true },
    provider_down: {
        say: (facts) => down(facts) + request(facts),
        retry: true,
    },
    unreachable: { say: t("This server cannot be reached. Check your network, then try again."), retry: true },
    provider_unreachable: {
        say: t("The voice provider cannot be reached from your network. Check the network or its firewall, then try again."),
        retry: true,
        diagnose: true,
    },
    ticket_expired: { say: t("The call ticket expired. Start again."), retry: true },
    network_blocks_calls: {
        say: t("Your network blocks calls (UDP). Try another network, or another way to call."),
        retry: true,
        diagnose: true,
    },
    agent_silent: { say: t("The agent did not answer. Try again in a minute."), retry: true, diagnose: true },
    connection_lost: {
        say: t("The connection was lost, and did not come back. Check your network, then call again."),
        retry: true,
        diagnose: true,
    },
    provider_gone: {
        say: t("The voice provider ended the call unexpectedly. Call again; if it happens again, try another way to call."),
        retry: true,
        diagnose: true,
    },
    other_tab: { say: t("You are in a call in another tab. End it there, then try again."), retry: true },
    unexpected: {
        say: t("Something went wrong on this page. Reload it; if it happens again, try another way to call."),
        retry: true,
        diagnose: true,
    },
    library_missing: {
        say: t("The room's program could not be loaded. Reload the page, or choose another way to call."),
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
    return new Problem("refused", { ...facts, message: message || t("The call could not be started. Try again.") });
}
