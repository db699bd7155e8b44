"""The hash of a body is the one that dkimpy computes, in pieces of any size."""

from dkim.canonicalization import CanonicalizationPolicy
from imio.mailbridge.message.authentication.body_hash import body_hash
import hashlib
import pytest
import random
import re


def expected(body, relaxed):
    policy = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed" if relaxed else b"simple/simple")
    return hashlib.sha256(policy.canonicalize_body(re.sub(rb"\r?\n", b"\r\n", body))).digest()


@pytest.mark.parametrize("relaxed", [True, False])
@pytest.mark.parametrize("piece", [1, 2, 7, 1 << 20])
def test_hash_is_that_of_the_canonical_body(relaxed, piece):
    chance = random.Random(piece)
    for _ in range(3000):
        body = bytes(chance.choices(b"ab \t\r\n\n", k=chance.randrange(30)))
        assert body_hash(b"head" + body, 4, relaxed, piece) == expected(body, relaxed), body


def test_empty_bodies():
    assert body_hash(b"", 0, True) == hashlib.sha256(b"").digest()
    assert body_hash(b"\n\n", 0, True) == hashlib.sha256(b"").digest()
    assert body_hash(b"", 0, False) == hashlib.sha256(b"\r\n").digest()
