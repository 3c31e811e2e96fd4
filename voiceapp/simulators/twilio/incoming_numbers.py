"""The account's phone numbers in Twilio's REST API: bought, listed, fetched, and pointed at an application."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlsplit

from aiohttp import web

from voiceapp.simulators.twilio.account import Account
from voiceapp.simulators.twilio.attributes import E164
from voiceapp.simulators.twilio.numbers import Number
from voiceapp.simulators.twilio.rest_error import Guard, RestError, form_of, not_found

_MOST_PER_PAGE = 1000
_URLS = ("voice_url", "voice_fallback_url", "status_callback", "sms_url", "sms_fallback_url")
_METHODS = (
    "voice_method", "voice_fallback_method", "status_callback_method", "sms_method", "sms_fallback_method",
)  # fmt: skip
_SIDS = {"voice_application_sid": "AP", "sms_application_sid": "AP", "trunk_sid": "TK"}
_SETTINGS = (*_URLS, *_METHODS, *_SIDS, "friendly_name")


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    size: int


class IncomingNumbersApi:
    """What `Number` does not have of a number's settings is kept here, by number."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._settings: dict[str, dict[str, str]] = {}

    def add_to(self, app: web.Application, prefix: str, guarded: Guard) -> None:
        for method, path, handler in (
            ("GET", "/IncomingPhoneNumbers.json", self._list),
            ("POST", "/IncomingPhoneNumbers.json", self._buy),
            ("GET", "/IncomingPhoneNumbers/{sid}.json", self._show),
            ("POST", "/IncomingPhoneNumbers/{sid}.json", self._update),
        ):
            app.router.add_route(method, prefix + path, guarded(handler))

    async def _list(self, request: web.Request) -> web.Response:
        """By `PhoneNumber`, in pages."""
        wanted, page = request.query.get("PhoneNumber"), _page_of(request)
        found = [number for number in self._owned() if wanted in (None, number)]
        start = page.number * page.size
        listed = [self._resource(number) for number in found[start : start + page.size]]
        path = request.path.replace(request.match_info["faults"], "", 1)
        more = start + page.size < len(found)
        body = {
            "incoming_phone_numbers": listed,
            "page": page.number,
            "page_size": page.size,
            "start": start,
            "end": start + len(listed) - 1,
            "uri": path,
            "first_page_uri": f"{path}?PageSize={page.size}&Page=0",
            "next_page_uri": f"{path}?PageSize={page.size}&Page={page.number + 1}" if more else None,
            "previous_page_uri": None,
        }
        return web.json_response(body)

    async def _buy(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        number = form.get("PhoneNumber", "")
        if not E164.fullmatch(number):
            raise RestError(400, 21421, f"PhoneNumber is invalid: {number}")
        if number in self._owned():
            raise RestError(400, 21422, f"PhoneNumber is not available: {number}")
        self._change(number, _settings_of(form))
        return web.json_response(self._resource(number), status=201)

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(self._resource(self._find(request)))

    async def _update(self, request: web.Request) -> web.Response:
        number = self._find(request)
        self._change(number, _settings_of(await form_of(request)))
        return web.json_response(self._resource(number))

    def _owned(self) -> list[str]:
        pointed = [number for number, each in self._account.numbers.items() if each.voice_url]
        return list(dict.fromkeys([*pointed, *self._settings]))

    def _find(self, request: web.Request) -> str:
        sid = request.match_info["sid"]
        found = next((number for number in self._owned() if sid_of(number) == sid), None)
        if found is None:
            raise not_found(request)
        return found

    def _change(self, number: str, changes: Mapping[str, str]) -> None:
        """All of it or, where something is invalid, nothing. Raises RestError."""
        now = {**self._read(number), **changes}
        _check(now)
        if changes.get("trunk_sid"):
            now["voice_application_sid"] = ""
        elif changes.get("voice_application_sid"):
            now["trunk_sid"] = ""
        ours = {field.name for field in fields(Number)} & set(_SETTINGS)
        known = self._account.numbers.get(number, Number())
        own: dict[str, str] = {name: now[name] for name in ours}
        self._account.numbers[number] = replace(known, **own)  # type: ignore[arg-type]
        self._settings[number] = {name: value for name, value in now.items() if name not in ours}

    def _read(self, number: str) -> dict[str, str]:
        known = self._account.numbers.get(number, Number())
        defaults = dict.fromkeys(_SETTINGS, "") | dict.fromkeys(_METHODS, "POST") | {"friendly_name": number}
        own = {name: str(getattr(known, name)) for name in _SETTINGS if hasattr(known, name)}
        return defaults | self._settings.get(number, {}) | own

    def _resource(self, number: str) -> dict[str, object]:
        """https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource"""
        sid, settings = sid_of(number), self._read(number)
        shown = {name: settings[name] or None if name in _SIDS else settings[name] for name in _SETTINGS}
        return {
            "sid": sid,
            "account_sid": self._account.sid,
            "api_version": "2010-04-01",
            "phone_number": number,
            "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
            "beta": False,
            "origin": "twilio",
            "status": "in-use",
            "uri": f"/2010-04-01/Accounts/{self._account.sid}/IncomingPhoneNumbers/{sid}.json",
            "voice_caller_id_lookup": False,
            "voice_receive_mode": "voice",
            **shown,
        }


def sid_of(number: str) -> str:
    return f"PN{hashlib.sha256(number.encode()).hexdigest()[:32]}"


def _settings_of(form: Mapping[str, str]) -> dict[str, str]:
    """The fields of a form that this API knows; as Twilio does, it ignores others."""
    names = {"".join(part.capitalize() for part in name.split("_")): name for name in _SETTINGS}
    given = {names[field]: value for field, value in form.items() if field in names}
    return {name: value.upper() if name in _METHODS else value for name, value in given.items()}


def _check(settings: Mapping[str, str]) -> None:
    """Twilio's errors 21402 to 21406. Raises RestError."""
    for name in _URLS:
        parts = urlsplit(settings[name])
        if settings[name] and not (parts.scheme in ("http", "https") and parts.netloc):
            raise RestError(400, 21402, f"Invalid Url: {settings[name]}")
    for name in _METHODS:
        if settings[name] not in ("GET", "POST"):
            raise RestError(400, 21403, f"Invalid Method: {settings[name]}")
    if settings["voice_fallback_url"] and not settings["voice_url"]:
        raise RestError(400, 21405, "Cannot set VoiceFallbackUrl without setting Url")
    if settings["sms_fallback_url"] and not settings["sms_url"]:
        raise RestError(400, 21406, "Cannot set SmsFallbackUrl without setting SmsUrl")
    for name, kind in _SIDS.items():
        if settings[name] and not settings[name].startswith(kind):
            raise RestError(400, 20001, f"{name} is not a SID: {settings[name]}")


def _page_of(request: web.Request) -> Page:
    try:
        number, size = int(request.query.get("Page", 0)), int(request.query.get("PageSize", 50))
    except ValueError as exc:
        raise RestError(400, 20001, "Page and PageSize must be numbers") from exc
    return Page(max(number, 0), min(max(size, 1), _MOST_PER_PAGE))
