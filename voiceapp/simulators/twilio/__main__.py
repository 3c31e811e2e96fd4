"""`python -m voiceapp.simulators.twilio --port 9100`: the simulator of Twilio until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging

from voiceapp.simulators.serving import parser_of, run
from voiceapp.simulators.twilio.server import TwilioSimulator


def main() -> int:
    parser = parser_of("twilio", port=9100, description="The simulator of Twilio.")
    options = parser.parse_args()
    logging.getLogger("picows").setLevel(logging.WARNING)
    try:
        simulator = TwilioSimulator(host=options.host, port=options.port)
    except ValueError as exc:
        parser.error(str(exc))
    return run(simulator, options, address=lambda: simulator.base_url)


if __name__ == "__main__":
    raise SystemExit(main())
