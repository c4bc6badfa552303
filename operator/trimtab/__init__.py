"""Trimtab keeps machine-learning models true: a Kubernetes operator that trains, judges, serves, watches and replaces them."""
__version__ = "0.1.0"
