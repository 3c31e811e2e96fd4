"""Google Cloud Storage by its S3-compatible API (XML), in front of moto's S3, which keeps the objects.

It refuses what Google refuses of S3's clients, by a verification of its own:

- a signature of version 4 is verified, with the key of this account, in the header or in the query. Google's servers
  change `Accept-Encoding` on the way: who signs it is refused (aws/aws-sdk-go-v2#1816);
- S3's newer checksums and chunked signatures are not known (boto/boto3#4400);
- what is not there cannot be deleted: 404, where S3 returns 204.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Below this path, beside AWS.
PREFIX = "/google"
KEY_ID, SECRET = "GOOG1ESIMULATEDSIMULATEDSIMULATED", "simulated+secret/of+a+service+account+00"
ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
SIGNED = re.compile(rf"{ALGORITHM} Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{{64}})")
UNKNOWN_HEADERS = ("x-amz-sdk-checksum-algorithm", "x-amz-trailer", "x-amz-checksum-", "x-amz-decoded-content-length")
STATUSES = {"AccessDenied": "403 Forbidden", "SignatureDoesNotMatch": "403 Forbidden", "NoSuchKey": "404 Not Found"}


class Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class GoogleStorage:
    """Answers what is below PREFIX; all other requests are the application's."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(f"{PREFIX}/"):
            return self._application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            verify(environ, body)
            if environ["REQUEST_METHOD"] == "DELETE" and not self._has_object(environ):
                raise Refused("NoSuchKey", "The specified key does not exist.")
        except Refused as exc:
            return _error(exc, start_response)
        return self._application(_at_aws(environ, body), start_response)

    def _has_object(self, environ: WSGIEnvironment) -> bool:
        statuses: list[str] = []

        def note(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:
            statuses.append(status)
            return lambda _: None

        for _ in self._application(_at_aws({**environ, "REQUEST_METHOD": "HEAD"}, b""), note):
            pass
        return statuses[0].startswith("200")


def verify(environ: WSGIEnvironment, body: bytes) -> None:
    """Raises Refused."""
    headers = dict(_headers(environ))
    if any(name.startswith(UNKNOWN_HEADERS) for name in headers) or "aws-chunked" in headers.get(
        "content-encoding", ""
    ):
        raise Refused("SignatureDoesNotMatch", "Invalid argument.")
    path, _, raw_query = environ["REQUEST_URI"].partition("?")
    query = parse_qsl(raw_query, keep_blank_values=True)
    given = dict(query)
    if "X-Amz-Signature" in given:
        credential, signed = given["X-Amz-Credential"], given["X-Amz-SignedHeaders"]
        signature, date, digest = given["X-Amz-Signature"], given["X-Amz-Date"], UNSIGNED
        query = [(name, value) for name, value in query if name != "X-Amz-Signature"]
    else:
        found = SIGNED.fullmatch(headers.get("authorization", ""))
        if found is None:
            raise Refused("AccessDenied", "Access denied.")
        credential, signed, signature = found.groups()
        date, digest = headers.get("x-amz-date", ""), headers.get("x-amz-content-sha256", "")
        if digest not in (UNSIGNED, hashlib.sha256(body).hexdigest()):
            raise Refused("SignatureDoesNotMatch", "The content's digest is not that of the content.")
    key_id, _, scope = credential.partition("/")
    if key_id != KEY_ID:
        raise Refused("AccessDenied", "Access denied.")
    canonical = "\n".join(
        [
            environ["REQUEST_METHOD"],
            path,
            "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)),
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in signed.split(";")),
            "",
            signed,
            digest,
        ]
    )
    text = "\n".join([ALGORITHM, date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    if not hmac.compare_digest(_sign(scope, text), signature):
        raise Refused("SignatureDoesNotMatch", "Access denied.")


def _sign(scope: str, text: str) -> str:
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _headers(environ: WSGIEnvironment) -> Iterator[tuple[str, str]]:
    """As they are when Google's servers have passed them on."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            plain = name.removeprefix("HTTP_").replace("_", "-").lower()
            yield plain, f"{value},gzip(gfe)" if plain == "accept-encoding" else str(value)
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-").lower(), str(environ[name])


def _at_aws(environ: WSGIEnvironment, body: bytes) -> WSGIEnvironment:
    """The same request for the bucket at AWS."""
    path, _, query = environ["REQUEST_URI"].removeprefix(PREFIX).partition("?")
    uri = f"{path}?{query}" if query else path
    passed = {
        **environ,
        "PATH_INFO": unquote(path),
        "REQUEST_URI": uri,
        "RAW_URI": uri,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(body),
    }
    if "HTTP_AUTHORIZATION" in environ:
        passed["HTTP_AUTHORIZATION"] = environ["HTTP_AUTHORIZATION"].replace("/auto/s3/", "/us-east-1/s3/")
    return passed


def _error(refused: Refused, start_response: StartResponse) -> Iterable[bytes]:
    body = (
        f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{refused.code}</Code><Message>{refused}</Message></Error>"
    )
    content = body.encode()
    headers = [("Content-Type", "application/xml; charset=UTF-8"), ("Content-Length", str(len(content)))]
    start_response(STATUSES[refused.code], headers)
    return [content]
