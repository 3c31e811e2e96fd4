"""Finds files that no row names, in the storage and on this worker's disk, and rows that name a file that is not there.

A stored file gets a day, for a worker may be about to write its row. Files in a bucket are removed by the command
alone, never by the schedule: another installation may use the same bucket.
"""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from recordings.files import delete_key, has_file, list_files
from recordings.finishing.services import close_given_up, jobs_of, retry_finishing
from recordings.finishing.work_folder import leftovers, only_run
from recordings.models import Recording
from recordings.spool.folder import spool_folder
from recordings.storage import bucket
from sessions.messages.models import OutboxMessage
from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.errors import ProviderError

logger = structlog.get_logger("recordings")

T = TypeVar("T")

FOLDER = "recordings"
YOUNG = dt.timedelta(days=1)
# What live calls write, in folders of the spool. Each file or folder there has the name of the recording at its source.
SPOOLS = {"": Recording.Source.BRIDGE, "rooms": Recording.Source.ROOM_AGENT, "pages": Recording.Source.PAGE}
# A phone call writes every second, an agent of a room every 2.5 s, a page every 2 s unless its network is gone.
UNWRITTEN_FOR_S = 120.0
PAGE = 500
# As many files that are all gone are not lost one by one: the folder is not mounted, or the bucket is another one.
TOO_MANY_TO_BE_LOST = 10
MISSING = KeptText("The file is not in the storage any more.")
State = Recording.State


@dataclass(slots=True)
class Swept:
    """What was found. `orphans` and `leftovers` are addresses, the others numbers of recordings."""

    orphans: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    found_again: list[int] = field(default_factory=list)
    unattended: list[int] = field(default_factory=list)
    # Why a storage could not be examined.
    problems: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return (
            len(self.orphans) + len(self.leftovers) + len(self.missing) + len(self.found_again) + len(self.unattended)
        )


def sweep(*, is_dry: bool = False, removes_in_bucket: bool = False) -> Swept:
    """`is_dry`: nothing is changed. `removes_in_bucket`: files without a row are deleted there as well."""
    swept = Swept()
    buckets = Recording.objects.exclude(key="").order_by().values_list("bucket", flat=True).distinct()
    for name in sorted({bucket(), "", *buckets}):
        try:
            _sweep_storage(name, swept, is_dry=is_dry, removes=removes_in_bucket or not name)
        except ProviderError as fault:
            swept.problems.append(f"{name or 'disk'}: {fault}")
    swept.leftovers += sweep_spool(is_dry=is_dry)
    _sweep_disk(swept, is_dry=is_dry)
    _resume_unattended(swept, is_dry=is_dry)
    if swept.count or swept.problems:
        logger.warning("recordings swept", is_dry=is_dry, orphans=len(swept.orphans), leftovers=len(swept.leftovers),
                       missing=swept.missing, found_again=swept.found_again, problems=swept.problems)  # fmt: skip
    return swept


def _sweep_storage(name: str, swept: Swept, *, is_dry: bool, removes: bool) -> None:
    """Raises ProviderError; then nothing is concluded from what was not seen."""
    seen: set[str] = set()
    old = timezone.now() - YOUNG
    rows = Recording.objects.filter(bucket=name)
    # Before the listing: what is stored meanwhile is not missing.
    claims = dict(rows.filter(_CLAIMS).values_list("pk", "key"))
    if name or Path(settings.RECORDINGS_DIR).is_dir():
        for page in _pages(list_files(name, FOLDER)):
            seen.update(file.key for file in page)
            known = set(rows.filter(key__in=[file.key for file in page]).values_list("key", flat=True))
            for file in page:
                if file.key not in known and file.changed_at < old:
                    swept.orphans.append(f"{name or 'disk'}: {file.key}")
                    if removes and not is_dry:
                        delete_key(name, file.key)
    _compare(name, rows, claims, seen, swept, is_dry=is_dry)


def _compare(
    name: str, rows: QuerySet[Recording], claims: dict[int, str], seen: set[str], swept: Swept, *, is_dry: bool
) -> None:
    gone = [pk for pk, key in claims.items() if key not in seen and not has_file(name, key)]
    if len(gone) == len(claims) >= TOO_MANY_TO_BE_LOST:
        swept.problems.append(f"{name or 'disk'}: none of {len(gone)} files is there; is it the right place?")
        return
    lost = rows.filter(state=State.FAILED, error=MISSING)
    back = [pk for pk, key in lost.values_list("pk", "key") if key in seen]
    swept.missing += gone
    swept.found_again += back
    if not is_dry:
        for pks in _pages(gone):
            rows.filter(_CLAIMS, pk__in=pks).update(state=State.FAILED, error=MISSING)
        lost.filter(pk__in=back).update(state=State.STORED, error="")


def sweep_spool(*, is_dry: bool = False) -> list[str]:
    """Remove what live calls wrote and no recording needs any more. What a failed one can be finished from stays."""
    spool, old, removed = spool_folder(), time.time() - UNWRITTEN_FOR_S, list[str]()
    for folder, source in SPOOLS.items():
        paths = [path for path in (spool / folder).glob("*") if path.name not in SPOOLS and _is_older(path, old)]
        for page in _pages(sorted(paths)):
            named = Recording.objects.filter(source=source, external_id__in=[path.stem for path in page])
            needed = named.filter(Q(state__in=Recording.IN_PROGRESS) | ~Q(step=""))
            # Those with the last step are deleted in another way, which a legal hold may delay (declining.py).
            needed = needed.exclude(Q(state=State.CANCELED) & ~Q(step=Recording.Step.CLEAN))
            kept = set(needed.values_list("external_id", flat=True))
            for path in (path for path in page if path.stem not in kept):
                removed.append(str(path))
                if not is_dry:
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    if removed and not is_dry:
        logger.info("files of calls removed", files=len(removed))
    return removed


def _sweep_disk(swept: Swept, *, is_dry: bool) -> None:
    """What a process that died was working on, an hour ago or earlier."""
    old = time.time() - 3600
    left = [path for path in leftovers() if _is_older(path, old)]
    swept.leftovers += map(str, left)
    if left and not is_dry:
        # A run empties the folder when it begins. While there is one, nothing is left over for long.
        with only_run():
            pass


def _is_older(path: Path, than_s: float) -> bool:
    """With what is in it. False for one that was deleted meanwhile."""
    try:
        written_s: float = max(each.stat().st_mtime for each in (path, *(path.iterdir() if path.is_dir() else ())))
    except FileNotFoundError:
        return False
    return written_s < than_s


def _resume_unattended(swept: Swept, *, is_dry: bool) -> None:
    """Recordings that are to be finished by a job that is gone, as after a database was restored."""
    for recording in Recording.objects.filter(state=State.STORING).exclude(step=""):
        if not jobs_of(recording).exclude(state=OutboxMessage.State.DONE).exists():
            swept.unattended.append(recording.pk)
            if not is_dry:
                retry_finishing(recording)
    if not is_dry:
        close_given_up()


def _pages(items: Iterable[T]) -> Iterator[list[T]]:
    left = iter(items)
    while page := list(islice(left, PAGE)):
        yield page


_CLAIMS = Q(state__in=(State.STORED, State.CUT_SHORT), size_bytes__gt=0) & ~Q(key="")
