"""All tests: each has its own counters of limits, and what all of them would do again is done once."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from socketserver import StreamRequestHandler
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection, connections
from django.template import Context, RequestContext, Template
from django.test import TransactionTestCase
from django.test.signals import template_rendered
from django.utils.safestring import SafeString
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker, Settings
from whitenoise.middleware import WhiteNoiseMiddleware
from xdist.remote import Producer
from xdist.workermanage import WorkerController

from voiceapp.simulators.aws.tests.running import running_aws
from voiceapp.tests.database import empty_tables, migrated_once
from voiceapp.tests.distribution import NICE, FromBothEnds, computes, in_order, on_time

# Several tests share a core: how fast examples are made says nothing. And the same ones each time: a change is judged
# by what it does, not by luck. `make fuzz` tries others.
hypothesis_settings.register_profile("shared core", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.register_profile("same examples", hypothesis_settings.get_profile("shared core"), derandomize=True)
hypothesis_settings.load_profile("same examples")

# AWS credentials come from the tests alone, never from the machine's role.
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


@pytest.fixture(autouse=True)
def limits_of_its_own(settings: Settings) -> None:
    settings.RATELIMIT_CACHE_PREFIX = f"limits-{uuid4().hex}:"


@pytest.fixture(autouse=True)
def no_refusal_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of strangers' webhooks: a test without a database sends some, too. telephony/events/tests/test_refusals.py keeps
    them."""
    monkeypatch.setattr("telephony.events.refusals.sampler", SimpleNamespace(sample=lambda source: None))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """SQLite does not wait for the disk: no test cuts this machine's power. Several processes migrate once."""
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "sqlite":
        options["init_command"] += " PRAGMA synchronous=OFF;"
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        with migrated_once(tmp_path_factory.getbasetemp().parent, worker, blocker=django_db_blocker):
            yield
    else:
        yield


@pytest.fixture(scope="session", autouse=True)
def tables_are_emptied_fast() -> Iterator[None]:
    """After each test whose transactions are real."""

    def teardown(case: TransactionTestCase) -> None:
        for each in connections.all():
            empty_tables(each)

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        yield


@pytest.fixture(scope="session")
def local_aws() -> Iterator[str]:
    """The simulator of AWS, for tests that name their own resources in it; its address."""
    with running_aws() as address:
        yield address


@pytest.fixture(scope="session", autouse=True)
def static_files_are_found_once() -> Iterator[None]:
    """Each test client makes the middleware anew, and WhiteNoise would look at every static file again."""
    find = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, object] = {}

    def add_files(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(WhiteNoiseMiddleware, "add_files_from_finders", add_files)
        yield


@pytest.fixture(scope="session", autouse=True)
def messages_stay_here(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The worker of a `make run` in this clone takes none of them."""
    options = current_app.conf.broker_transport_options
    if "data_folder_out" in options:
        folder = str(tmp_path_factory.mktemp("queue"))
        options.update(data_folder_in=folder, data_folder_out=folder, control_folder=f"{folder}/control")


@pytest.fixture(scope="session", autouse=True)
def responses_are_sent_at_once() -> Iterator[None]:
    """Head and body are written apart: the second one would wait 40 ms for the client to confirm the first."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(StreamRequestHandler, "disable_nagle_algorithm", True)
        yield


@pytest.fixture(scope="session", autouse=True)
def passwords_are_hashed_fast() -> Iterator[None]:
    """A million rounds of the same function would protect no password here."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(PBKDF2PasswordHasher, "iterations", 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def contexts_are_kept_of_whole_pages(django_test_environment: None) -> Iterator[None]:
    """Django's test client copies the context of each template: of its parts and widgets, hundreds a page."""

    def render(template: Template, context: Context) -> SafeString:
        if context.template is template and isinstance(context, RequestContext):
            template_rendered.send(sender=template, template=template, context=context)
        return template.nodelist.render(context)

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(Template, "_render", render)
        yield


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = in_order(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with on_time(item):
        return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FromBothEnds | None:
    return FromBothEnds(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_configure(config: pytest.Config) -> None:
    """The garbage collector walks seldom, and never over the thousands of tests, which stay until the end."""
    gc.disable()
    gc.set_threshold(50_000, 20, 20)
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    os.nice(worker.get("nice", 0))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    if node.config.getoption("dist") == "loadfile" and computes(node.gateway.id, len(node.nodemanager.specs)):
        node.workerinput["nice"] = NICE


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures that tests have recorded, such as how well spoken names are understood."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == "figures":
                terminalreporter.write_line(str(value))
