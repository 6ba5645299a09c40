"""Certificates and keys for C2PA signatures: the user's, or one made on the spot that nobody trusts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ..base.errors import DependencyError, InputError
from ..base.files import existing_file
from ..base.limits import PEM_BYTES

TEST_NAME = "ComfyUI-MMGT TEST CERTIFICATE, NOT TRUSTED"
INSTALL = "run: pip install 'mmgt[c2pa]'"


@dataclass(frozen=True)
class Credentials:
    """What signs: a chain of certificates, the signer's first, and its private key, both PEM."""

    algorithm: str
    chain: bytes
    key: bytes = field(repr=False)


def load_credentials(certificate: Path, key: Path) -> Credentials:
    """The user's certificate chain and private key.

    Raises:
        InputError: files that are missing, no PEM, encrypted, of a kind that C2PA does not know, or that do
            not belong together.
        DependencyError: the library cryptography is not installed.
    """
    serialization, x509 = _libraries()
    chain = existing_file(certificate, "the certificate", largest=PEM_BYTES).read_bytes()
    secret = existing_file(key, "the key", largest=PEM_BYTES).read_bytes()
    try:
        first = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise InputError("this is not a certificate", where=certificate, fix="give a PEM file") from error
    try:
        private = serialization.load_pem_private_key(secret, None)
    except (ValueError, TypeError) as error:
        raise InputError(
            "this is not a private key", where=key, fix="give an unencrypted PEM file"
        ) from error
    if _public(private.public_key(), serialization) != _public(first.public_key(), serialization):
        raise InputError("the key does not belong to the certificate", where=key, fix="give the pair")
    pem = serialization.Encoding.PEM
    plain = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Credentials(_algorithm(private, key), chain, plain)


def credentials_for_tests() -> Credentials:
    """A certificate of an authority that is made on the spot and forgotten: readers call it not trusted."""
    serialization, x509 = _libraries()
    from cryptography.hazmat.primitives.asymmetric import ec

    authority, signer = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate(x509, f"{TEST_NAME} authority", authority, None, None)
    leaf = _certificate(x509, TEST_NAME, signer, root, authority)
    pem = serialization.Encoding.PEM
    key = signer.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Credentials("es256", leaf.public_bytes(pem) + root.public_bytes(pem), key)


def _certificate(x509: Any, name: str, key: Any, issuer: Any, issuer_key: Any) -> Any:
    """A certificate for thirty days; without an issuer that of the authority itself."""
    from cryptography.hazmat.primitives import hashes

    subject = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "local test"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, name),
        ]
    )
    own, now = issuer is None, datetime.now(timezone.utc)
    signing_key = key if own else issuer_key
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False
    )  # fmt: skip
    usage |= {"digital_signature": not own, "key_cert_sign": own, "crl_sign": own}
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if own else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=own, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False
        )
    )
    if not own:
        purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(signing_key, hashes.SHA256())


def _algorithm(key: Any, where: Path) -> str:
    """C2PA's name of the signature algorithm of a private key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey):
        names = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
        if key.curve.name in names:
            return names[key.curve.name]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "ps256"
    fix = "use a key on the curve P-256, P-384 or P-521, Ed25519, or RSA of 2048 bits or more"
    raise InputError("C2PA does not know keys of this kind", where=where, fix=fix)


def _public(key: Any, serialization: Any) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _libraries() -> tuple[Any, Any]:
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
    except ModuleNotFoundError as error:
        raise DependencyError("signatures need the library cryptography", fix=INSTALL) from error
    return serialization, x509
