"""The product's settings, with the reference's address beside its own."""

from voiceapp.settings import *  # noqa: F403 - these are all of them

ROOT_URLCONF = "livekit_urls"
