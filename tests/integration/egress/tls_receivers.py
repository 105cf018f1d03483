"""Receivers for the tests of TLS: certificates good and bad, and those that speak no TLS at all."""

import datetime
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.integration.egress.evil import Gone

HOST = "receiver.example"
LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
LATER = datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC)


def server_context(cert):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    return context


def hand_made(folder, *, key, digest, not_after, signed_by=None):
    """A certificate for HOST that trustme would not make; self-signed without `signed_by`."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    issuer_key, issuer = key, name
    if signed_by is not None:
        issuer_key = serialization.load_pem_private_key(signed_by.private_key_pem.bytes(), None)
        issuer = x509.load_pem_x509_certificate(signed_by.cert_pem.bytes()).subject
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(LONG_AGO)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(issuer_key, digest)
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(path)
    return context


def old_protocol(ca):
    """A receiver with a good certificate that speaks nothing newer than TLS 1.1."""
    context = server_context(ca.issue_cert(HOST))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


async def answers_in_plain(peer):
    await peer.send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
    await peer.gone()


async def hangs_up(peer):
    raise Gone


async def resets(peer):
    peer.reset()


async def says_nothing(peer):
    await peer.gone()
