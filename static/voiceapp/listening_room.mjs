/** The sound of a call in a LiveKit room: this browser joins as a participant whom nobody there sees, and only receives. */

import { load } from "./call/livekit_client.mjs";
import { t } from "./texts.mjs";

const NO_LIBRARY = t("The page lacks livekit-client: run “make livekit-client” on the server, which needs npm, and reload.");
const NOT_REACHED = t("LiveKit cannot be reached from this browser. Check the network, then try again.");
const CALLER = 0;
const AGENT = 1;

export class RoomSound {
    #library;
    #request;
    #now = null; // what is open: {room, identity, players}

    /** `request`: enter() -> {isDone, message, identity, token, livekitHost}, leave(identity). */
    constructor(library, request) {
        this.#library = library;
        this.#request = request;
    }

    /** `on`: ended(message), lost(). After `close` it says nothing more. */
    async open(line, on) {
        const now = (this.#now = { room: null, identity: "", players: new Map() });
        const isOver = () => now !== this.#now;
        const library = await load(this.#library).catch(() => null);
        if (isOver()) return;
        if (!library) return on.ended(NO_LIBRARY);
        const ticket = await this.#request.enter();
        if (!ticket.isDone) return isOver() || on.ended(ticket.message);
        now.identity = ticket.identity;
        if (isOver()) return this.#end(now);
        const room = (now.room = new library.Room());
        this.#follow(now, library, line);
        try {
            await room.connect(ticket.livekitHost, ticket.token);
        } catch {
            if (!isOver()) on.ended(NOT_REACHED);
            return;
        }
        if (isOver()) return room.disconnect();
        room.on(library.RoomEvent.Disconnected, () => {
            if (isOver()) return;
            this.close();
            on.lost();
        });
    }

    close() {
        const now = this.#now;
        this.#now = null;
        if (now) this.#end(now);
    }

    #end({ room, identity, players }) {
        for (const track of players.keys()) drop(players, track);
        room?.disconnect();
        if (identity) this.#request.leave(identity);
    }

    #follow({ room, players }, { RoomEvent, Track }, line) {
        room.on(RoomEvent.TrackSubscribed, (track, _, participant) => {
            if (track.kind !== Track.Kind.Audio) return;
            // Chromium gives a received track to the audio graph only while an element plays it, too.
            const player = track.attach();
            player.muted = true;
            const voice = line.context.createMediaStreamSource(player.srcObject);
            voice.connect(line, 0, participant.isAgent ? AGENT : CALLER);
            players.set(track, voice);
        });
        room.on(RoomEvent.TrackUnsubscribed, (track) => drop(players, track));
    }
}

function drop(players, track) {
    players.get(track)?.disconnect();
    players.delete(track);
    track.detach();
}
