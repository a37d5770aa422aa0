"""Calls of supervisors, and about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from makima.http.examples.contracts import NOW, QUESTION, SUPERVISOR, TASK, UID

STATE: dict[str, Any] = {
    "schema_version": 1,
    "state": "working",
    "phase": "plan",
    "current_activity": "Reading the login code",
    "progress": 45,
    "message_sequence": 2,
    "pending_question_ids": [],
    "spawned_task_ids": [TASK],
    "waiting_on_task_ids": [],
    "open_tool_call": None,
    "error": None,
    "agent": {},
    "saved_at": NOW,
}
PAYLOAD = json.dumps(STATE)
CHECKSUM = hashlib.sha256(PAYLOAD.encode()).hexdigest()
MESSAGE = {
    "id": "1b2c3d4e-5f60-4718-8293-a4b5c6d7e808",
    "role": "assistant",
    "content": "I read the login code.",
    "timestamp": NOW,
}
COMMAND = {
    "id": "2c3d4e5f-6071-4829-93a4-b5c6d7e8f909",
    "kind": "answer",
    "payload": {"question_id": QUESTION, "answer": "yes"},
    "created_at": NOW,
}
HEARTBEAT = {
    "incarnation": 1,
    "contract_id": UID,
    "task_id": SUPERVISOR,
    "sequence": 7,
    "state": "working",
    "phase": "plan",
    "current_activity": "Reading the login code",
    "progress": 45,
    "pending_task_ids": [TASK],
    "timestamp": NOW,
    "acknowledged": [],
}
RESTORATION: dict[str, Any] = {
    "outcome": "resumed",
    "reason": "the state of revision 3 is whole",
    "state": STATE,
    "revision": 3,
    "message_sequence": 2,
    "messages": [{**MESSAGE, "sequence": 2}],
    "checkpoint": 1,
    "questions": [],
    "waiting_on": [],
    "spawned_since": [],
}
SAVED = {"server_time": NOW, "last": 3, "duplicate": False}
ACCEPTED = {"server_time": NOW, "contract_version": 3, "duplicate": False}

SUPERVISOR_CALLS: Mapping[str, tuple[Any, Any]] = {
    "register_supervisor": (
        {
            "namespace": "team-a",
            "name": "fix-login",
            "registration_id": "3d4e5f60-7182-493a-a4b5-c6d7e8f90a0a",
            "host": "laptop-7",
        },
        {
            "server_time": NOW,
            "contract_id": UID,
            "task_id": SUPERVISOR,
            "incarnation": 2,
            "phase": "plan",
            "contract_version": 2,
            "heartbeat_interval_seconds": 30,
            "heartbeat_timeout_seconds": 120,
            "restoration": RESTORATION,
            "commands": [],
        },
    ),
    "save_state": (
        {"incarnation": 1, "task_id": SUPERVISOR, "revision": 3, "payload": PAYLOAD, "checksum": CHECKSUM},
        SAVED,
    ),
    "append_messages": ({"incarnation": 1, "first_sequence": 2, "messages": [MESSAGE]}, SAVED),
    "save_checkpoint": (
        {"incarnation": 1, "number": 1, "message_sequence": 2, "payload": PAYLOAD, "checksum": CHECKSUM},
        SAVED,
    ),
    "get_commands": (None, {"commands": [COMMAND]}),
    "acknowledge_commands": ({"incarnation": 1, "command_ids": [COMMAND["id"]]}, {"commands": []}),
    "get_restoration": (None, RESTORATION),
    "get_messages": (None, {"messages": [{**MESSAGE, "sequence": 2}]}),
    "get_supervisor_status": (
        None,
        {
            "task_id": SUPERVISOR,
            "state": "working",
            "phase": "execute",
            "current_activity": "Implementing user authentication",
            "progress": 45,
            "last_heartbeat": NOW,
            "pending_task_ids": [TASK],
            "incarnation": 1,
            "error_message": None,
        },
    ),
    "get_heartbeats": (
        None,
        {
            "heartbeats": [
                {
                    "timestamp": NOW,
                    "state": "working",
                    "phase": "plan",
                    "activity": "Reading the login code",
                    "progress": 45,
                    "incarnation": 1,
                    "sequence": 7,
                }
            ]
        },
    ),
    "sync_supervisor": (None, {"synced": True, "state": "working"}),
    "spawn_task": ({"incarnation": 1, "id": TASK, "name": "read-the-code"}, ACCEPTED),
    "complete_task": ({"incarnation": 1, "message": "read 40 files"}, ACCEPTED),
    "fail_task": ({"incarnation": 1, "message": "the file is gone"}, ACCEPTED),
    "ask_question": (
        {"incarnation": 1, "id": QUESTION, "text": "May the session table be changed?", "options": ["yes", "no"]},
        ACCEPTED,
    ),
    "complete_deliverable": ({"incarnation": 1, "phase": "plan", "id": "plan-document"}, ACCEPTED),
    "ask_advance": (
        {"incarnation": 1, "to": "execute", "expected_version": 3, "reason": "the plan is written"},
        {
            "server_time": NOW,
            "outcome": "requires_confirmation",
            "message": "somebody with the verb confirm has to look first",
            "phase": "plan",
            "version": 3,
            "deliverables": ["plan-document (complete)"],
            "missing": [],
        },
    ),
    "send_heartbeat": (HEARTBEAT, {"server_time": NOW, "result": "stored", "sequence": 7, "commands": [COMMAND]}),
    "send_heartbeats": (
        {"heartbeats": [HEARTBEAT]},
        {
            "server_time": NOW,
            "stored": 1,
            "refused": 0,
            "entries": [
                {"index": 0, "contract_id": UID, "result": "stored", "error": None, "commands": [COMMAND]},
            ],
        },
    ),
}
