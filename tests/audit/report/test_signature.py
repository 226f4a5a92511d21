"""The statement about a report, as the libraries that sign it and receive it read it."""

import json
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # has no __all__
from sigstore.dsse import Statement
from sigstore.errors import Error

PAYLOAD = "application/vnd.in-toto+json"


@pytest.fixture
def statement(written: Path) -> bytes:
    """What is signed, to the byte."""
    return (written / "manifest.intoto.json").read_bytes()


def test_sigstore_takes_the_statement_for_one_of_in_toto(statement: bytes) -> None:
    Statement(statement)


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"subject": []},
        {"subject": [{"name": "a", "digest": "0"}]},
        {"predicateType": None},
        {"predicate": "a"},
    ],
    ids=["version", "no subject", "digest", "no type of predicate", "predicate"],
)
def test_sigstore_refuses_what_in_toto_forbids(statement: bytes, change: dict[str, Any]) -> None:
    with pytest.raises(Error, match="malformed in-toto statement"):
        Statement(json.dumps(json.loads(statement) | change).encode())


def test_an_envelope_is_verified_with_its_key_alone_and_gives_the_statements_bytes(
    statement: bytes,
) -> None:
    signer, other = CryptoSigner.generate_ecdsa(), CryptoSigner.generate_ecdsa()
    sent = Envelope(statement, PAYLOAD, {})
    sent.sign(signer)
    envelope = Envelope.from_dict(json.loads(json.dumps(sent.to_dict())))
    envelope.verify([signer.public_key], 1)
    assert envelope.payload == statement
    with pytest.raises(VerificationError):
        envelope.verify([other.public_key], 1)
