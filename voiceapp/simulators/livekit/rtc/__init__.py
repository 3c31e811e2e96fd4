"""Participants with real media: signaling at /rtc, audio and data over WebRTC, forwarded without decoding."""
