"""Is what is shown live, and from where? The status line says it in words, whatever is broken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from makima.tui.ages import clock, seconds_since, span
from makima.tui.source import ApiLink, KubeLink, Link, LinkState, Missed

MISSED_SHOWN = timedelta(seconds=30)

WITHOUT_API = "heartbeats between status writes, events of before, events of contracts that are gone"


@dataclass(frozen=True, slots=True)
class Feed:
    """Both ways in, and what the stream left out lately."""

    kube: Link = field(default_factory=Link)
    api: Link = field(default_factory=Link)
    missed: str = ""
    missed_at: datetime | None = None

    def after(self, change: KubeLink | ApiLink | Missed, now: datetime) -> Feed:
        """The feed after one of them changed."""
        match change:
            case KubeLink(link):
                return replace(self, kube=link)
            case ApiLink(link):
                return replace(self, api=link)
            case Missed(hint):
                return replace(self, missed=hint, missed_at=now)


@dataclass(frozen=True, slots=True)
class FeedLine:
    """The status line.

    Attributes:
        good: everything is live.
        short: at most a third of a narrow terminal.
        detail: what is missing and why; "" while everything is there.
    """

    good: bool
    short: str
    detail: str = ""


def feed_line(feed: Feed, now: datetime) -> FeedLine:
    """What the status line says."""
    kube, api = feed.kube, feed.api
    if kube.state is LinkState.CONNECTING:
        return FeedLine(False, "◌ connecting", kube.why or "asking the Kubernetes API for contracts and supervisors")
    if kube.state is not LinkState.LIVE:
        return _stale(kube, api, now)
    if api.state is LinkState.LIVE:
        return _live(feed, now)
    if api.state is LinkState.CONNECTING:
        return FeedLine(True, "● live: kube (API: connecting)")
    hidden = f"{kube.why}; " if kube.why else ""
    return FeedLine(False, "◐ live: kube watch alone", f"{hidden}{_reason(api)}; missing: {WITHOUT_API}")


def _live(feed: Feed, now: datetime) -> FeedLine:
    if feed.missed_at is not None and now - feed.missed_at < MISSED_SHOWN:
        return FeedLine(False, "◐ live: API + kube, with a gap", feed.missed)
    return FeedLine(True, "● live: API + kube", feed.kube.why)


def _reason(api: Link) -> str:
    if api.state is LinkState.OFF:
        return f"makima's API is not used{': ' + api.why if api.why else ''}"
    return (
        api.why
        if "can't be reached" in api.why
        else f"makima's API can't be reached{': ' + api.why if api.why else ''}"
    )


def _stale(kube: Link, api: Link, now: datetime) -> FeedLine:
    since = f"{clock(kube.since)} ({span(seconds_since(kube.since, now))})" if kube.since else "the start"
    live = "; events and heartbeats still come from makima's API" if api.state is LinkState.LIVE else ""
    why = kube.why or "the Kubernetes API can't be reached"
    return FeedLine(False, f"○ stale since {since}", f"{why}; trying again{live}")
