"""The formats that cross a process boundary: what the operator, training steps and model servers hand to each other.

All are strict JSON in camelCase with `schema: 1`; a reader refuses a newer schema. Nothing here reads or writes a file.
The model server reads `models`, `serving` and `profiles` only, so that it starts without the kinds of the API, and
without pydantic.
"""
