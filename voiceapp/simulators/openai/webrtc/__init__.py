"""Calls over WebRTC: audio on a track, events on the data channel `oai-events` and on side channels."""
