"""Pure decisions: from values to values, `now` passed in, no I/O, no clock, no framework."""
