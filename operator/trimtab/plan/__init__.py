"""The decisions: pure functions from what was observed, and `now`, to what should be. May do no I/O and ask no clock."""
