"""How the server says no: to a request, and to its own start. Both carry words that a person can act upon."""


class RefusedError(Exception):
    """A request that is not served. `status` is the HTTP code, `message` names the thing, the value and the remedy."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class StartError(Exception):
    """The process cannot do its work. `reason` is CamelCase for the operator, `message` a sentence for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def client(message: str) -> RefusedError:
    """A fault of the client's, which is a 400."""
    return RefusedError(400, message)
