"""`python -m voiceapp.simulators.vapi --port 9500`: the simulator of VAPI until SIGTERM or Ctrl-C."""

from __future__ import annotations

from voiceapp.simulators.serving import parser_of, run
from voiceapp.simulators.vapi.server import VapiSimulator


def main() -> int:
    parser = parser_of("vapi", port=9500, description="The simulator of VAPI.")
    parser.add_argument("--server-url", default="", help="the organization's server URL")
    options = parser.parse_args()
    server = {"url": options.server_url} if options.server_url else None
    simulator = VapiSimulator(host=options.host, port=options.port, server=server)
    return run(simulator, options, address=lambda: simulator.address)


if __name__ == "__main__":
    raise SystemExit(main())
