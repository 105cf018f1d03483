"""OpenSSL's command line as a judge that shares no code with Hookspan's Python."""

import subprocess
from pathlib import Path

from tests.support.tools import tool

OPENSSL_S = 10.0


class OpenSsl:
    """Commands that read files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._openssl, self._folder = tool("openssl"), folder

    def hmac_sha256(self, key: str, body: bytes) -> str:
        """In lower hex."""
        answer = self._run(["dgst", "-sha256", "-hmac", key], body)
        return answer.stdout.decode().split()[-1]

    def accepts_rsa(self, public_key: str, signed: bytes, signature: bytes) -> bool:
        """The documented way: ``openssl dgst -sha256 -binary < data | openssl dgst -sha256 -verify … -signature …``."""
        return self.accepts_rsa_once(public_key, self._run(["dgst", "-sha256", "-binary"], signed).stdout, signature)

    def accepts_rsa_once(self, public_key: str, signed: bytes, signature: bytes) -> bool:
        """The usual way, without hashing twice."""
        files = [
            "-verify",
            self._file("key.pem", public_key.encode()),
            "-signature",
            self._file("signature", signature),
        ]
        return self._said_yes(["dgst", "-sha256", *files], signed)

    def accepts_ed25519(self, public_key: str, signed: bytes, signature: bytes) -> bool:
        files = ["-inkey", self._file("key.pem", public_key.encode()), "-sigfile", self._file("signature", signature)]
        return self._said_yes(
            ["pkeyutl", "-verify", "-pubin", "-rawin", *files, "-in", self._file("message", signed)], b""
        )

    def _said_yes(self, arguments: list[str], data: bytes) -> bool:
        answer = subprocess.run(
            [self._openssl, *arguments], input=data, capture_output=True, timeout=OPENSSL_S, check=False
        )
        said = answer.stdout.decode() + answer.stderr.decode()
        is_yes = "Verified OK" in said or "Signature Verified Successfully" in said
        assert is_yes or "Verification failure" in said.replace("Verification Failure", "Verification failure"), said
        return is_yes and answer.returncode == 0

    def _run(self, arguments: list[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self._openssl, *arguments], input=data, capture_output=True, timeout=OPENSSL_S, check=True
        )

    def _file(self, name: str, content: bytes) -> str:
        path = self._folder / name
        path.write_bytes(content)
        return str(path)
