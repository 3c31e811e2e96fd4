"""Workers that registered at /agent: which one takes a job, its assignment, its end.

As in livekit-server 1.13.5: a worker that refuses makes room for the next one, but not one that does not answer within
10 s; the state of a job in its dispatch stays as it was at the assignment.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from livekit.protocol.agent import (
    AvailabilityRequest,
    AvailabilityResponse,
    Job,
    JobAssignment,
    JobStatus,
    JobTermination,
    RegisterWorkerRequest,
    ServerMessage,
    UpdateJobStatus,
    UpdateWorkerStatus,
    WorkerStatus,
)
from livekit.protocol.models import ParticipantPermission

from voiceapp.simulators.livekit.ids import new_id
from voiceapp.simulators.livekit.tokens import ApiKeyPair

ANSWER_WITHIN_S = 10.0
_TOKEN_VALID_S = 3600
_ENDED = (JobStatus.JS_SUCCESS, JobStatus.JS_FAILED)


class NotAvailable(Exception):
    """The worker refused the job, or went away."""


class RegisteredWorker:
    """`send` must not wait. `jobs`: what it runs, with the states that it reports."""

    def __init__(self, register: RegisterWorkerRequest, send: Callable[[ServerMessage], None]) -> None:
        self.id = new_id("AW")
        self.agent_name = register.agent_name
        self.permissions = (
            register.allowed_permissions
            if register.HasField("allowed_permissions")
            else ParticipantPermission(
                can_subscribe=True, can_publish=True, can_publish_data=True, can_update_metadata=True
            )
        )
        self.status, self.load = WorkerStatus.WS_AVAILABLE, 0.0
        self.jobs: dict[str, Job] = {}
        self._send = send
        self._answers: dict[str, asyncio.Future[AvailabilityResponse]] = {}

    def update(self, update: UpdateWorkerStatus) -> None:
        if update.HasField("status"):
            self.status = update.status
        self.load = update.load

    def answer(self, response: AvailabilityResponse) -> None:
        future = self._answers.pop(response.job_id, None)
        if future is not None and not future.done():
            future.set_result(response)

    def update_job(self, update: UpdateJobStatus) -> None:
        """Of a job that has ended already: nothing happens."""
        job = self.jobs.get(update.job_id)
        if job is None:
            return
        job.state.status, job.state.error, job.state.updated_at = update.status, update.error, time.time_ns()
        if update.status in _ENDED:
            job.state.ended_at = time.time_ns()
            del self.jobs[update.job_id]

    async def assign(self, job: Job, key: ApiKeyPair) -> None:
        """Offer the job; if the worker takes it, `job.state` has the identity. Raises NotAvailable, TimeoutError."""
        job.state.worker_id, job.state.status = self.id, JobStatus.JS_RUNNING
        job.state.started_at = job.state.updated_at = time.time_ns()
        future = self._answers[job.id] = asyncio.get_running_loop().create_future()
        self._send(ServerMessage(availability=AvailabilityRequest(job=job)))
        try:
            response = await asyncio.wait_for(future, ANSWER_WITHIN_S)
        finally:
            self._answers.pop(job.id, None)
        if response.terminate:
            job.state.status, job.state.ended_at = JobStatus.JS_SUCCESS, time.time_ns()
            return
        if not response.available:
            raise NotAvailable
        job.state.participant_identity = response.participant_identity
        self._send(ServerMessage(assignment=JobAssignment(job=job, token=self._token(job, response, key))))
        self.jobs[job.id] = Job()
        self.jobs[job.id].CopyFrom(job)

    def terminate(self, job_id: str) -> None:
        self._send(ServerMessage(termination=JobTermination(job_id=job_id)))
        self.update_job(UpdateJobStatus(job_id=job_id, status=JobStatus.JS_SUCCESS))

    def close(self) -> None:
        """It is gone: what was offered to it is offered to others."""
        for future in self._answers.values():
            if not future.done():
                future.set_exception(NotAvailable())
        self._answers.clear()

    def _token(self, job: Job, response: AvailabilityResponse, key: ApiKeyPair) -> str:
        allowed = self.permissions
        video = {
            "roomJoin": True,
            "agent": True,
            "room": job.room.name,
            "canSubscribe": allowed.can_subscribe,
            "canPublish": allowed.can_publish,
            "canPublishData": allowed.can_publish_data,
            "canUpdateOwnMetadata": allowed.can_update_metadata,
            "hidden": allowed.hidden,
        }
        claims = {
            "sub": response.participant_identity,
            "name": response.participant_name,
            "kind": "agent",
            "metadata": response.participant_metadata,
            "attributes": {**response.participant_attributes, "lk.agent_name": self.agent_name},
            "video": video,
        }
        return key.sign(claims, valid_s=_TOKEN_VALID_S)


class RegisteredWorkers:
    def __init__(self, key: ApiKeyPair) -> None:
        self._key = key
        self._workers: dict[str, RegisteredWorker] = {}

    def add(self, worker: RegisteredWorker) -> None:
        self._workers[worker.id] = worker

    def remove(self, worker: RegisteredWorker) -> None:
        worker.close()
        del self._workers[worker.id]

    def has(self, agent_name: str) -> bool:
        return any(worker.agent_name == agent_name for worker in self._workers.values())

    async def assign(self, job: Job) -> bool:
        """Whether a worker of this name took it; another one is tried if one refuses."""
        tried: set[str] = set()
        while (worker := self._choose(job.agent_name, tried)) is not None:
            tried.add(worker.id)
            try:
                await worker.assign(job, self._key)
            except NotAvailable:
                continue
            except TimeoutError:
                return False
            return True
        return False

    def terminate(self, job_id: str) -> bool:
        """Whether a worker ran it."""
        for worker in self._workers.values():
            if job_id in worker.jobs:
                worker.terminate(job_id)
                return True
        return False

    def _choose(self, agent_name: str, tried: set[str]) -> RegisteredWorker | None:
        """At random, the more likely the less load it has."""
        free = [
            worker
            for worker in self._workers.values()
            if worker.agent_name == agent_name
            and worker.id not in tried
            and worker.status == WorkerStatus.WS_AVAILABLE
            and worker.load < 1
        ]
        return random.choices(free, [1 - worker.load for worker in free])[0] if free else None
