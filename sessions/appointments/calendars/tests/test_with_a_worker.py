"""A real worker with its beat between our database and a real calendar server."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessions.appointments.calendars.models import BusyTime
from voiceapp.providers.caldav.tests.radicale_server import RadicaleServer
from voiceapp.tests.worker import folder_broker, until, worker_process

from .conftest import Garage

pytestmark = [pytest.mark.waits, pytest.mark.embedded]


@pytest.mark.django_db(transaction=True)
def test_busy_times_come_in_and_appointments_go_out(garage: Garage, server: RadicaleServer, tmp_path: Path) -> None:
    server.put("dentist", f"DTSTART:{garage.at(10):%Y%m%dT%H%M%SZ}", "DURATION:PT1H")
    garage.connect(server)
    appointment = garage.book(9)
    environment = {"CELERY_BROKER_URL": folder_broker(tmp_path), "SIMULATORS": "caldav", "VAR_DIR": str(tmp_path)}
    with worker_process(tmp_path, environment):
        until(lambda: server.get(f"{appointment.pk.hex}.{garage.mia.pk}@voiceapp"))
        until(BusyTime.objects.exists)
        assert BusyTime.objects.get().starts_at == garage.at(10)
    logged = (tmp_path / "worker.log").read_text()
    assert "Miller" not in logged
    assert "torque wrench" not in logged
