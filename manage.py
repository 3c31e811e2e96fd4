#!/usr/bin/env python
"""The command line of voiceapp: `python manage.py help` lists the commands."""

import gc
import os
import sys

if __name__ == "__main__":
    gc.disable()  # what is imported stays; voiceapp/apps.py turns collection on
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceapp.settings")
    try:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)
