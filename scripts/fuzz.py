"""Throw hostile frames at the production parsers, guided by coverage, and hostile requests at the API, guided by its
document: `make fuzz FUZZ_SECONDS=60`.

Each target runs in a process of its own for the time given. A crash prints its input and fails the command.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
API = "api"
SEEDS = {
    "caller": [
        '{"event":"media","sequenceNumber":"3","streamSid":"MZ1","media":{"track":"inbound","chunk":"1","timestamp":"160","payload":"//8="}}',
        '{"event":"mark","streamSid":"MZ1","sequenceNumber":"4","mark":{"name":"0.1"}}',
        '{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"1"}}',
        '{"event":"stop","sequenceNumber":"9","streamSid":"MZ1","stop":{"accountSid":"AC1","callSid":"CA1"}}',
    ],
    "agent": [
        '{"type":"session.created","event_id":"e","session":{"id":"sess_1","expires_at":1}}',
        '{"type":"session.updated","event_id":"e","session":{"id":"sess_1"}}',
        '{"type":"response.created","event_id":"e","response":{"id":"r1","status":"in_progress"}}',
        '{"type":"response.output_item.added","response_id":"r1","output_index":0,"item":{"id":"i1","type":"message"}}',
        '{"type":"response.output_audio.delta","event_id":"e","response_id":"r1","item_id":"i1","output_index":0,"content_index":0,"delta":"//8="}',
        '{"type":"input_audio_buffer.speech_started","event_id":"e","audio_start_ms":100,"item_id":"u1"}',
        '{"type":"response.function_call_arguments.done","response_id":"r1","item_id":"i2","output_index":1,"call_id":"c1","name":"end_call","arguments":"{}"}',
        '{"type":"response.done","event_id":"e","response":{"id":"r1","status":"completed","output":[],"usage":null}}',
        '{"type":"error","event_id":"e","error":{"type":"x","code":"session_expired","message":"m"}}',
    ],
    "vapi": [
        '{"message":{"type":"tool-calls","timestamp":1,"call":{"id":"v1","assistantOverrides":{"metadata":{"callId":"c"}}},"toolCallList":[{"id":"c1","type":"function","function":{"name":"end_call","arguments":"{}"}}],"artifact":{"messages":[{"role":"user","message":"a","secondsFromStart":1.5}]}}}',
        '{"message":{"type":"tool-calls","toolWithToolCallList":[{"name":"end_call","toolCall":{"id":"c1","parameters":{"a":[1]}}}],"messagesOpenAIFormatted":[{"role":"assistant","content":"a"}]}}',
        '{"message":{"type":"function-call","functionCall":{"name":"end_call","parameters":{}}}}',
        '{"message":{"type":"assistant-request","call":{"id":"v1"},"phoneNumber":{"number":"+1"},"customer":{"number":"+2"}}}',
    ],
}


def phone_call() -> tuple[object, Callable[[str], None], Callable[[str], None]]:
    """A new phone call with an open link, and its two inputs."""
    from sessions.calls.briefing import Briefing, Phrases
    from telephony.bridge.openai.dialect import OpenAIDialect
    from telephony.bridge.phone_call import PhoneCall
    from telephony.bridge.twilio.frames import TwilioCodec

    briefing = Briefing("call", "model", "voice", "en", "", (), (), Phrases("Hello"), "transcriber")
    make_dialect = partial(OpenAIDialect, {"type": "realtime"}, protects_greeting=False)
    call = PhoneCall(briefing, codec=TwilioCodec("MZ1"), make_dialect=make_dialect)
    call.link_opened()
    return call, call.caller_frame, call.agent_frame


def read_server_message(body: bytes) -> None:
    """One of VAPI's to our server URL, and all that is read of it."""
    from voiceapp.providers.vapi import messages

    try:
        message = messages.read_message(body)
    except messages.MessageUnreadable:
        return
    for name, value in vars(messages.VapiMessage).items():
        if isinstance(value, property):
            getattr(message, name)
    messages.caller_turns(message.conversation or ())
    messages.spoken_lines(message.conversation or ())


def fuzz(target: str, seconds: int) -> None:
    """Run one target in this process until the time is over or something is raised."""
    import atheris

    with atheris.instrument_imports(include=["telephony.bridge", "voiceapp.providers.vapi.messages"]):
        phone_call()
        read_server_message(b"")

    def one_input(data: bytes) -> None:
        if target == "vapi":
            read_server_message(data)
            return
        texts = data.decode("utf-8", "surrogatepass" if target == "agent" else "replace").split("\n")
        _, from_caller, from_agent = phone_call()
        for text in texts[:20]:
            (from_caller if target == "caller" else from_agent)(text)

    def tolerant(data: bytes) -> None:
        try:
            data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            if target != "vapi":
                return
        one_input(data)

    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(SEEDS[target]):
            (Path(folder) / str(number)).write_text(seed)
        (Path(folder) / "all").write_text("\n".join(SEEDS[target]))
        atheris.Setup(
            [sys.argv[0], folder, f"-max_total_time={seconds}", "-max_len=4096", "-print_final_stats=1"], tolerant
        )
        atheris.Fuzz()


def fuzz_api(seconds: int) -> bool:
    """schemathesis against a product that the tests build, with another seed each time. Returns whether it passed."""
    seed = random.randrange(2**31)
    print(f"fuzzing what clients of the API send, {seconds} s, seed {seed}…", flush=True)
    environment = os.environ | {"FUZZ_SECONDS": str(seconds), "FUZZ_SEED": str(seed)}
    command = [sys.executable, "-m", "pytest", "-q", "--show-capture=no", "tests/api/test_fuzz.py"]
    done = subprocess.run(command, check=False, env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout[-20_000:])
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--target", choices=[*sorted(SEEDS), API], help="run only this one, in this process")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.target == API:
        return 0 if fuzz_api(options.seconds) else 1
    if options.target:
        fuzz(options.target, options.seconds)
        return 0
    failed = []
    for target in sorted(SEEDS):
        print(f"fuzzing what the {target} sends, {options.seconds} s…", flush=True)
        command = [sys.executable, __file__, "--target", target, "--seconds", str(options.seconds)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        with tempfile.TemporaryDirectory() as folder:  # a crash's input is written to the current folder
            done = subprocess.run(command, check=False, env=environment, cwd=folder, capture_output=True, text=True)
        runs = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        print(f"  {runs[-1].split()[-1] if runs else 'an unknown number of'} inputs")
        if done.returncode:
            print(done.stderr[-4000:])
            failed.append(target)
    if not fuzz_api(options.seconds):
        failed.append(API)
    print(f"failed: {', '.join(failed)}" if failed else "nothing was raised")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
