"""The operator's Jobs, by name and by contract. A cache: who misses a Job here asks the API server before acting."""

from __future__ import annotations

from makima.domain.tasks.job_reading import JobSeen
from makima.services.supervision.supervisor_cache import Name


class JobCache:
    """Jobs as last seen."""

    def __init__(self) -> None:
        self._jobs: dict[Name, JobSeen] = {}
        self._by_owner: dict[str, set[Name]] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def get(self, namespace: str, name: str) -> JobSeen | None:
        """The Job of this name, if it was seen."""
        return self._jobs.get((namespace, name))

    def of(self, owner: str) -> list[JobSeen]:
        """Jobs of the contract with this UID."""
        return [self._jobs[name] for name in self._by_owner.get(owner, ())]

    def see(self, job: JobSeen) -> None:
        """It is there, like this."""
        name = (job.namespace, job.name)
        self._jobs[name] = job
        self._by_owner.setdefault(job.owner, set()).add(name)

    def see_gone(self, job: JobSeen) -> None:
        """It is gone, unless another one of that name came after it."""
        name = (job.namespace, job.name)
        known = self._jobs.get(name)
        if known is None or known.uid != job.uid:
            return
        del self._jobs[name]
        names = self._by_owner.get(job.owner, set())
        names.discard(name)
        if not names:
            self._by_owner.pop(job.owner, None)

    def every(self) -> list[JobSeen]:
        """All of them."""
        return list(self._jobs.values())
