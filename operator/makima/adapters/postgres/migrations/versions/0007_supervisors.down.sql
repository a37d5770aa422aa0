DROP TABLE ingest_coverage;
DROP TABLE commands;
ALTER TABLE tasks DROP COLUMN incarnation;
DROP TABLE questions;
DROP TABLE supervisor_checkpoints;
DROP TABLE supervisor_messages;
DROP TABLE supervisor_states;
DROP TABLE supervisor_heartbeats;
DROP TABLE supervisors;
