"""TLS towards receivers: which certificates are believed, and what is said of those that are not."""

import ssl

from hookspan.errors import ConfigurationError

# OpenSSL's verify codes (x509_vfy.h) that people can do something about.
_ADVICE = {
    10: "the certificate has expired",
    9: "the certificate is not valid yet",
    18: "the certificate is signed by itself",
    19: "the chain ends in a certificate that is signed by itself and not among the trusted CAs",
    20: "the certificate's CA is unknown, or the server sends no intermediate certificate",
    21: "the certificate's CA is unknown, or the server sends no intermediate certificate",
    62: "the certificate is for another host name",
    64: "the certificate is for another address",
    66: "the certificate's key is too small",
    67: "a CA in the chain has a key that is too small",
    68: "the certificate is signed with a digest that is too weak",
}


def make_context(ca_file: str | None) -> ssl.SSLContext:
    """A client context: host names verified, TLS 1.2 or newer, the system's CAs and those of `ca_file`.

    Made by hand rather than by ssl.create_default_context, which would write session keys to a file that an
    environment variable names. Raises ConfigurationError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"HOOKSPAN_EGRESS_CA_FILE: {ca_file} can't be read as PEM certificates: {error}."
            ) from None
    return context


def explain(error: ssl.SSLError) -> str:
    """One sentence for the integrator. Holds nothing that the receiver wrote."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = _ADVICE.get(error.verify_code, error.verify_message)
        return f"The receiver's certificate was refused: {reason}."
    reason = (error.reason or "unknown").replace("_", " ").lower()
    return f"The TLS handshake failed: {reason}."
