"""What waits for clients that do not read is bounded, at the cost of those that have waited longest."""

from trimtab.serving.unread import Unread


class Connection:
    def __init__(self) -> None:
        self.ended = False

    def abort(self) -> None:
        self.ended = True


def test_the_one_that_waits_longest_is_ended_first() -> None:
    unread = Unread(100)
    first, second, third = (Connection() for _ in range(3))
    for connection in (first, second):
        unread.add(connection, 50)
    assert not first.ended
    unread.add(third, 60)
    assert [connection.ended for connection in (first, second, third)] == [True, True, False]


def test_one_alone_may_have_more_and_one_that_reads_again_counts_no_more() -> None:
    unread = Unread(100)
    first, second = Connection(), Connection()
    unread.add(first, 500)
    unread.remove(first)
    unread.remove(first)
    unread.add(second, 100)
    assert not first.ended
    assert not second.ended
