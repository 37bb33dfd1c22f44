"""The store: bounded in bytes and in age, the least recently used goes first, no token sees
another's."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from rnnviz.dashboard.store import Store, is_token, new_token

TOKENS = [f"{n:022d}" for n in range(9)]


@dataclass(frozen=True)
class Value:
    name: str
    nbytes: int = 10
    parts: dict[int, int] = field(default_factory=dict)


def filled(many: int, most_bytes: int = 40) -> Store[Value]:
    store: Store[Value] = Store(most_bytes)
    for token in TOKENS[:many]:
        store.put(token, Value(token))
    return store


def found(store: Store[Value]) -> list[str]:
    return [token for token in TOKENS if store.get(token) is not None]


def test_a_token_finds_its_own_value_alone() -> None:
    store = filled(2)
    assert [store.get(token) for token in TOKENS[:3]] == [Value(TOKENS[0]), Value(TOKENS[1]), None]


def test_what_was_put_first_goes_first() -> None:
    store = filled(7)
    assert found(store) == TOKENS[3:7]
    assert store.nbytes == 40


def test_what_was_asked_for_or_put_again_stays() -> None:
    store = filled(4)
    store.get(TOKENS[0])
    store.put(TOKENS[1], Value("again"))
    store.put(TOKENS[4], Value(TOKENS[4]))
    store.put(TOKENS[5], Value(TOKENS[5]))
    assert found(store) == [TOKENS[0], TOKENS[1], TOKENS[4], TOKENS[5]]
    assert store.get(TOKENS[1]) == Value("again")


def test_at_every_moment_it_is_bounded() -> None:
    store: Store[Value] = Store(100)
    for n in range(60):
        store.put(TOKENS[n % 9], Value("", n % 25 + 1))
        assert store.nbytes <= 100
    assert store.nbytes == sum(value.nbytes for t in TOKENS if (value := store.get(t)))


def test_one_value_does_not_push_out_everyone_s() -> None:
    store = filled(3)
    store.put(TOKENS[0], Value("large", 11))
    assert found(store) == TOKENS[1:3]
    assert store.nbytes == 20


def test_what_nobody_asks_for_goes_with_time() -> None:
    now = [0.0]
    store: Store[Value] = Store(most_seconds=10, clock=lambda: now[0])
    for token in TOKENS[:2]:
        store.put(token, Value(token))
    now[0] = 6.0
    store.get(TOKENS[0])
    now[0] = 12.0
    assert found(store) == TOKENS[:1]
    assert store.nbytes == 10
    now[0] = 23.0
    assert found(store) == []
    assert store.nbytes == 0


def test_what_is_dropped_is_gone() -> None:
    store = filled(2)
    store.drop(TOKENS[0])
    store.drop(TOKENS[0])
    assert found(store) == [TOKENS[1]]
    assert store.nbytes == 10


def test_a_part_of_several_counts_once() -> None:
    store: Store[Value] = Store(100)
    for n in range(5):
        store.put(TOKENS[n], Value("alike", 25, {7: 20}))
    assert (len(found(store)), store.nbytes) == (5, 20 + 5 * 5)
    for n in range(5):
        store.drop(TOKENS[n])
        assert store.nbytes == (4 - n and 20 + 5 * (4 - n))
    store.put(TOKENS[0], Value("alike", 25, {7: 20}))
    assert store.nbytes == 25


def test_a_value_that_shares_is_as_large_as_it_is_alone() -> None:
    store: Store[Value] = Store(100)
    store.put(TOKENS[0], Value("large", 26, {7: 20}))
    assert found(store) == []


def test_tokens_are_128_random_bits() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(is_token(token) and len(token) * 6 >= 128 for token in tokens)


@pytest.mark.parametrize("said", ["", "a" * 21, "a" * 23, "a" * 21 + "/", "a" * 21 + "é",
                                  "a" * 22 + "\n", None, 7, ["a" * 22], {}])  # fmt: skip
def test_what_has_not_the_form_of_a_token_is_none(said: object) -> None:
    assert not is_token(said)
    store: Store[Value] = Store()
    with pytest.raises(ValueError, match="token must be 22 letters"):
        store.put(said, Value("x"))  # type: ignore[arg-type]
    assert store.nbytes == 0
