DROP TABLE event_counter;
DROP TABLE events;
DROP TABLE tasks;
DROP TABLE contracts;
