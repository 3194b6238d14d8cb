"""The state machine: a program, a run's state and what happened in; the next moves out. Pure: no clock, no I/O."""
