"""A real Kubernetes on this machine, for the demo and the tests: `python3 -m cluster --help`.

Standard library only, since it runs before any virtual environment exists. It imports nothing of Trimtab.
"""
