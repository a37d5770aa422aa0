"""Supervisors in pods, tasks as Jobs: a real API server and Postgres; the test plays kubelet and Job controller."""
