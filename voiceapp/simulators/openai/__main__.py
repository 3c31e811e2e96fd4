"""`python -m voiceapp.simulators.openai --port 9000`: the simulator of OpenAI until SIGTERM or Ctrl-C."""

from __future__ import annotations

from voiceapp.simulators.openai.server import OpenAISimulator
from voiceapp.simulators.serving import parser_of, run


def main() -> int:
    options = parser_of("openai", port=9000, description="The simulator of OpenAI Realtime.").parse_args()
    simulator = OpenAISimulator(host=options.host, port=options.port)
    return run(simulator, options, address=lambda: simulator.address)


if __name__ == "__main__":
    raise SystemExit(main())
