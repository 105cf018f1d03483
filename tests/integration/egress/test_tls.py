"""TLS: only a valid certificate for the very host is believed, and what is wrong with others is said."""

import ipaddress
import ssl

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hookspan.clock import SystemClock
from hookspan.domain.outcome import ErrorCode, Owner
from hookspan.egress import Egress, EgressSettings, sending
from hookspan.errors import ConfigurationError
from tests.integration.egress.evil import OK, EvilReceiver, an_egress, post, says, until
from tests.integration.egress.tls_receivers import (
    HOST,
    LATER,
    LONG_AGO,
    answers_in_plain,
    hand_made,
    hangs_up,
    old_protocol,
    resets,
    says_nothing,
    server_context,
)
from tests.unit.egress.names import ScriptedNames, answer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return ("asyncio", {"use_uvloop": request.param})


@pytest.fixture(scope="module")
def ca():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(ca, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


def names():
    return ScriptedNames(receiver__example=[answer("127.0.0.1")])


async def attempt(tls, ca_file, *, host=HOST, script=None, timeout_ms=5_000):
    async with EvilReceiver(script or says(OK, OK), tls=tls) as receiver:
        async with an_egress(names=names(), ca_file=ca_file) as egress:
            url = f"https://{host}:{receiver.port}/hook"
            outcome = await post(egress, url, timeout_ms=timeout_ms)
            if outcome.status == 200:
                assert (await post(egress, url)).status == 200
                assert receiver.connections == 1
            else:
                await until(lambda: egress.sockets == 0)
        return outcome


async def test_a_valid_certificate(ca, ca_file):
    """A certificate of the extra CA for the host name is believed, and the connection kept."""
    outcome = await attempt(server_context(ca.issue_cert(HOST)), ca_file)
    assert (outcome.status, outcome.body, outcome.remote_address) == (200, b"ok", "127.0.0.1")


async def test_a_certificate_for_an_address(ca, ca_file):
    """An https URL with a literal address needs a certificate for that address."""
    outcome = await attempt(server_context(ca.issue_cert("127.0.0.1")), ca_file, host="127.0.0.1")
    assert outcome.status == 200
    outcome = await attempt(server_context(ca.issue_cert(HOST)), ca_file, host="127.0.0.1")
    assert outcome.error is ErrorCode.TLS_FAILED
    assert "another address" in outcome.error_message


async def test_the_name_is_sent(ca, ca_file):
    """The receiver is told by SNI which host is meant, though the connection goes to an address."""
    said = []
    context = server_context(ca.issue_cert(HOST))
    context.sni_callback = lambda _socket, name, _context: said.append(name)
    assert (await attempt(context, ca_file)).status == 200
    assert said == [HOST]


def refused(outcome, says):
    assert outcome.error is ErrorCode.TLS_FAILED
    assert outcome.status is None
    assert outcome.owner is Owner.RECEIVER
    assert says in outcome.error_message
    return True


async def test_unknown_ca(ca):
    """Without the extra CA the same certificate is not believed."""
    assert refused(await attempt(server_context(ca.issue_cert(HOST)), None), "CA is unknown")


async def test_wrong_host(ca, ca_file):
    """A valid certificate of another host is not this host's."""
    assert refused(await attempt(server_context(ca.issue_cert("other.example")), ca_file), "another host name")


async def test_expired(ca, ca_file):
    """A certificate is believed until it expires."""
    cert = ca.issue_cert(HOST, not_after=LONG_AGO)
    assert refused(await attempt(server_context(cert), ca_file), "has expired")


async def test_self_signed(tmp_path, ca_file):
    """A certificate that vouches for itself proves nothing."""
    tls = hand_made(tmp_path, key=ec.generate_private_key(ec.SECP256R1()), digest=hashes.SHA256(), not_after=LATER)
    assert refused(await attempt(tls, ca_file), "signed by itself")


async def test_weak_key(tmp_path, ca, ca_file):
    """A key of 1,024 bits is no protection, whoever signed it."""
    key = rsa.generate_private_key(65537, 1024)
    tls = hand_made(tmp_path, key=key, digest=hashes.SHA256(), not_after=LATER, signed_by=ca)
    assert refused(await attempt(tls, ca_file), "key is too small")


async def test_old_protocol(ca, ca_file):
    """A receiver that speaks nothing newer than TLS 1.1 is not spoken to."""
    assert refused(await attempt(old_protocol(ca), ca_file), "TLS handshake")


async def test_tls_1_2_is_enough(ca, ca_file):
    """TLS 1.2 is spoken where 1.3 is not."""
    context = server_context(ca.issue_cert(HOST))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert (await attempt(context, ca_file)).status == 200


@pytest.mark.parametrize("script", [answers_in_plain, hangs_up, resets])
async def test_no_tls_at_all(script, ca_file):
    """A receiver that does not speak TLS is a TLS failure, known at once."""
    assert refused(await attempt(None, ca_file, script=script), "TLS handshake")


async def test_a_handshake_that_hangs(ca_file):
    """The handshake's time is part of the one deadline."""
    outcome = await attempt(None, ca_file, script=says_nothing, timeout_ms=200)
    assert outcome.error is ErrorCode.TIMEOUT
    assert "TLS handshake" in outcome.error_message
    assert outcome.duration_us < 4_000_000


async def test_there_is_one_deadline_only(ca_file, monkeypatch):
    """The loop's own limit for handshakes never comes before our deadline, however late the sweep is: the receiver
    would be said to have hung up when it was us."""
    monkeypatch.setattr(sending, "SWEEP_S", 0.5)
    outcome = await attempt(None, ca_file, script=says_nothing, timeout_ms=100)
    assert outcome.error is ErrorCode.TIMEOUT


async def test_a_client_certificate_is_asked_for(ca, ca_file):
    """A receiver that wants a certificate of ours says so after the handshake: still a TLS failure."""
    context = server_context(ca.issue_cert(HOST))
    context.verify_mode = ssl.CERT_REQUIRED
    ca.configure_trust(context)
    outcome = await attempt(context, ca_file)
    assert outcome.error in {ErrorCode.TLS_FAILED, ErrorCode.RESET}


async def test_keys_are_not_logged(monkeypatch, tmp_path, ca, ca_file):
    """No environment variable makes us write session keys to a file."""
    log = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    assert (await attempt(server_context(ca.issue_cert(HOST)), ca_file)).status == 200
    assert not log.exists()


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_an_unreadable_ca_file(tmp_path, content):
    """A CA file that can't be read stops the start, naming the setting."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match="HOOKSPAN_EGRESS_CA_FILE"):
        Egress(EgressSettings(ca_file=str(path)), SystemClock())


def test_addresses_in_certificates():
    """trustme makes certificates for addresses as addresses; the tests above lean on it."""
    cert = x509.load_pem_x509_certificate(trustme.CA().issue_cert("127.0.0.1").cert_chain_pems[0].bytes())
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1")]
