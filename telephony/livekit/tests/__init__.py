"""LiveKit in the product. Checks in shared modules show their values when they fail."""

import pytest

pytest.register_assert_rewrite("telephony.livekit.tests.rooms")
