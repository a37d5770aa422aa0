"""The live monitor: one reader of the history for each process, and clients that never wait for each other (ADR 0011).

`tail` reads events in the order of their commits; `audiences` (`makima.domain.monitor.filters`) know who takes which;
each client has a bounded `outbox`; `subscription` brings one up to where the tail is; `monitor` holds them together.
"""
