"""`python -m voiceapp.simulators.livekit --port 9300`: the simulator of LiveKit until SIGTERM or Ctrl-C."""

from __future__ import annotations

from pathlib import Path

from voiceapp.simulators.livekit.server import LiveKitSimulator
from voiceapp.simulators.serving import parser_of, run


def main() -> int:
    parser = parser_of("livekit", port=9300, description="The simulator of LiveKit.")
    parser.add_argument("--agent-after-s", type=float, default=0.3, help="from a dispatch until the agent joins")
    parser.add_argument("--no-agents", action="store_true", help="without workers that register nobody joins")
    parser.add_argument(
        "--recordings", type=Path, default=None, help="the folder for files; by default a temporary one"
    )
    parser.add_argument(
        "--no-auto-create", action="store_true", help="rooms are created by requests alone, not by tokens"
    )
    options = parser.parse_args()
    try:
        simulator = LiveKitSimulator(
            host=options.host,
            port=options.port,
            agent_after_s=options.agent_after_s,
            agent_names=() if options.no_agents else None,
            directory=options.recordings,
            auto_create=not options.no_auto_create,
        )
    except ValueError as exc:
        parser.error(str(exc))
    return run(simulator, options, address=lambda: simulator.base_url)


if __name__ == "__main__":
    raise SystemExit(main())
