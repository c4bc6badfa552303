"""The steps of a training pod: fetch, train, evaluate, publish. Each is a process of its own and hands on files and
a short message.

May import `store`, `model`, `api` and `drift`; never the controller or the server. Only fetch and publish see
credentials.
"""
