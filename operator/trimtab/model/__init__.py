"""What training and serving must share: how values are read and normalised, and one engine per artifact format.

May import only `api` and `drift`.
"""
