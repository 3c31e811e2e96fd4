"""`POST /v1/audio/transcriptions`: the words of a WAV file, recognized by the grammar of messages."""

from __future__ import annotations

import asyncio
import wave

import numpy as np
from aiohttp import BodyPartReader, web

from voiceapp.simulators.model.recognition.messages import message_recognizer
from voiceapp.simulators.model.spelling import transcript_of
from voiceapp.simulators.openai.http_errors import error_response
from voiceapp.simulators.openai.usage import transcription_usage
from voiceapp.simulators.twilio.recording import pcm_of_wav

MODELS = frozenset({"whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe"})
MAX_FILE_BYTES = 25 * 1024 * 1024
MIN_MS = 100
LEAST_PEAK = 400
BYTES_PER_MS = 16


async def transcribe(request: web.Request) -> web.Response:
    """As OpenAI, it takes a form with `file` and `model`; `response_format` must be json. The file must be a WAV."""
    if not request.content_type.startswith("multipart/"):
        return error_response(400, "invalid_request_error", "Could not parse multipart form")
    fields: dict[str, str] = {}
    file: bytes | None = None
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "file":
            file = bytes(await part.read())
        elif part.name:
            fields[part.name] = await part.text()
    return await _response(file, fields)


async def _response(file: bytes | None, fields: dict[str, str]) -> web.Response:
    if file is None:
        return error_response(400, "missing_required_parameter", "You must provide a file.", param="file")
    if len(file) > MAX_FILE_BYTES:
        return error_response(413, "file_too_large", f"Maximum content size limit ({MAX_FILE_BYTES}) exceeded")
    model, kind = fields.get("model", ""), fields.get("response_format", "json")
    if model not in MODELS:
        message = f"The model `{model}` does not exist or you do not have access to it."
        return error_response(404, "model_not_found", message, param="model")
    if kind != "json":
        message = f"response_format '{kind}' is not compatible with model '{model}'."
        return error_response(400, "unsupported_value", message, param="response_format")
    try:
        pcm = pcm_of_wav(file)
    except (wave.Error, EOFError, ValueError):
        return error_response(400, "invalid_value", "Audio file might be corrupted or unsupported", param="file")
    duration_ms = len(pcm) // BYTES_PER_MS
    if duration_ms < MIN_MS:
        message = "Audio file is too short. Minimum audio length is 0.1 seconds."
        return error_response(400, "audio_too_short", message, param="file")
    is_silent = np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)).max() < LEAST_PEAK
    heard = None if is_silent else await asyncio.to_thread(lambda: message_recognizer().recognize(pcm))
    return web.json_response({"text": transcript_of(heard or ""), "usage": transcription_usage(duration_ms)})
