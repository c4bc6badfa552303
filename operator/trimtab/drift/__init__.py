"""The maths of drift on integer counts: profiles, counting, windows, tests and verdicts.

Floor 0 of the house. Nothing here reads a file, a socket or a clock, and nothing imports another package of Trimtab.
`counting`, `profile`, `references` and `windows` need numpy alone, because the serving image has no scipy; the only
module that imports scipy.special is `tail`, and only `shifts`, `verdicts` and `quality` import `tail`.

Where things are: `references` freezes a profile at training; `counting` turns rows into counts in a serving pod;
`windows` adds the pods' counts up into windows of time; `verdicts` and `quality` judge those windows.
"""
