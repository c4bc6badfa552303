"""The words of Trimtab: its five kinds, their conditions and reasons, and the formats that cross a process boundary.

Nothing here does I/O or knows the time, but for the two generators (`crd`, `reference`), which are run at build time
only.
"""
