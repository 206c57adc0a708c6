import pytest

from engine.toolkit.latest import Latest


def test_only_the_last_answer_is_kept():
    made: list[str] = []
    latest: Latest[str] = Latest()

    def ask(key: str) -> str:
        return latest.of(key, lambda: made.append(key) or key.upper())

    assert [ask(key) for key in "aabba"] == list("AABBA")
    assert made == ["a", "b", "a"]


def test_what_fails_leaves_what_was_kept():
    latest: Latest[int] = Latest()
    latest.of("a", lambda: 1)
    with pytest.raises(ZeroDivisionError):
        latest.of("b", lambda: 1 // 0)
    assert latest.of("a", lambda: 2) == 1
