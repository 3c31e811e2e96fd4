// An equivalent of Twilio's published Node sample for OpenAI Realtime, with `ws` as that has: it parses each message,
// sends audio on, answers each delta with media and a mark. Without fastify, which takes no part in a call's frames;
// the two cost the same (docs/how-to/measure-speed.md).
//
//   node node_bridge.mjs PORT ws://127.0.0.1:9000/v1/realtime

import WebSocket, { WebSocketServer } from 'ws';

const [port, providerUrl] = process.argv.slice(2);

new WebSocketServer({ host: '127.0.0.1', port: Number(port) }).on('connection', (caller) => {
  let streamSid = null;
  let latestMediaTimestamp = 0;
  let lastAssistantItem = null;
  let responseStartTimestamp = null;
  let markQueue = [];

  const provider = new WebSocket(providerUrl, { headers: { Authorization: 'Bearer none' } });

  const say = (target, event) => {
    if (target.readyState === WebSocket.OPEN) target.send(JSON.stringify(event));
  };

  const sendMark = () => {
    say(caller, { event: 'mark', streamSid, mark: { name: 'responsePart' } });
    markQueue.push('responsePart');
  };

  const interrupt = () => {
    if (markQueue.length === 0 || responseStartTimestamp === null) return;
    say(provider, {
      type: 'conversation.item.truncate',
      item_id: lastAssistantItem,
      content_index: 0,
      audio_end_ms: latestMediaTimestamp - responseStartTimestamp,
    });
    say(caller, { event: 'clear', streamSid });
    markQueue = [];
    lastAssistantItem = null;
    responseStartTimestamp = null;
  };

  provider.on('open', () => {
    say(provider, { type: 'session.update', session: { type: 'realtime' } });
    say(provider, { type: 'response.create' });
  });

  provider.on('message', (data) => {
    const event = JSON.parse(data);
    if (event.type === 'response.output_audio.delta' && event.delta) {
      say(caller, { event: 'media', streamSid, media: { payload: event.delta } });
      if (responseStartTimestamp === null) responseStartTimestamp = latestMediaTimestamp;
      if (event.item_id) lastAssistantItem = event.item_id;
      sendMark();
    } else if (event.type === 'input_audio_buffer.speech_started') {
      interrupt();
    }
  });

  caller.on('message', (message) => {
    const event = JSON.parse(message);
    switch (event.event) {
      case 'media':
        latestMediaTimestamp = event.media.timestamp;
        say(provider, { type: 'input_audio_buffer.append', audio: event.media.payload });
        break;
      case 'start':
        streamSid = event.start.streamSid;
        responseStartTimestamp = null;
        latestMediaTimestamp = 0;
        break;
      case 'mark':
        markQueue.shift();
        break;
    }
  });

  caller.on('close', () => provider.close());
  caller.on('error', () => caller.terminate());
  provider.on('error', () => provider.terminate());
}).on('listening', () => console.log(`listening on http://127.0.0.1:${port}`));
