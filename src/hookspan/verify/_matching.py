"""Is one of these signatures right? And if not, what is the sender doing wrong?

Secrets and what is made from them are compared with `hmac.compare_digest`, and always all of them, so that the time
tells neither which signature nor which secret fitted.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from hookspan.verify._dialect import ENCODERS, HASHES, Signature, Token
from hookspan.verify._errors import VerificationError
from hookspan.verify._keys import Check, hmac_key, public_key, strict_base64
from hookspan.verify._reading import HeaderText

SIGNATURES_MAX: Final = 32  # in one header; a sender in a rotation sends two
KEYS_MAX: Final = 10  # of one kind; a receiver in a rotation knows two


class Matcher:
    """One way of signing, and every key that the receiver knows for it. Raises VerificationError for a key that does
    not fit.
    """

    def __init__(self, signature: Signature, keys: Sequence[object]) -> None:
        self.signature = signature
        self._secrets: list[bytes] = []
        self._publics: list[Check] = []
        if signature.is_public:
            self._publics = [public_key(key, signature.algorithm) for key in keys]
        else:
            self._secrets = [hmac_key(key, signature.secret_kind, signature.secret_rule) for key in keys]
        self._has_white_space = signature.takes_text and any(key != key.strip() for key in self._secrets)

    def candidates(self, value: str) -> list[bytes]:
        """The signatures of this kind in the list that a header holds; those of other versions are left out."""
        signature = self.signature
        before, after = signature.each
        parts = value.split(signature.join, SIGNATURES_MAX) if signature.join else [value]
        if len(parts) > SIGNATURES_MAX:
            raise VerificationError(
                "malformed_header", f"{signature.line.name} holds more than {SIGNATURES_MAX} signatures."
            )
        return [
            part[len(before) : len(part) - len(after)].encode(errors="replace")
            for part in parts
            if part.startswith(before) and part.endswith(after) and len(part) > len(before) + len(after)
        ]

    def is_match(self, candidates: Sequence[bytes], message: bytes) -> bool:
        if self.signature.is_hashed_before:
            message = hashlib.sha256(message).digest()
        return self._fits(candidates, message)

    def mistake(self, candidates: Sequence[bytes], message: bytes) -> VerificationError:
        """Why nothing matched, as far as it can be told."""
        signature = self.signature
        name = signature.line.name
        if signature.is_hashed_before:
            if self._fits(candidates, message):
                return VerificationError(
                    "single_hash",
                    f"{name} was signed over a single SHA-256 of time and body; this profile hashes twice: the SHA-256"
                    " digest is the message that is signed (with SHA-256 again). Mend the sender or test tool.",
                )
            message = hashlib.sha256(message).digest()
        if signature.encoding.startswith("hex") and self._fits(candidates, message, is_case_ignored=True):
            is_upper = signature.encoding == "hex-upper"
            return VerificationError(
                "lower_case_hex" if is_upper else "upper_case_hex",
                f"{name} fits but for the case of its letters: this profile writes hex in"
                f" {'upper' if is_upper else 'lower'} case. Does something change it on the way?",
            )
        return VerificationError("no_match", self._unmatched(name))

    def _unmatched(self, name: str) -> str:
        what = "public key" if self.signature.is_public else "secret"
        hint = " The secret begins or ends with white space: is that part of it?" if self._has_white_space else ""
        return (
            f"No signature in {name} fits the body and this {what}. Was the body parsed and written again before it"
            f" got here, or is this another webhook's {what}, or an older one?{hint}"
        )

    def _fits(self, candidates: Sequence[bytes], message: bytes, *, is_case_ignored: bool = False) -> bool:
        if self.signature.is_public:
            raws = [raw for raw in map(self._decoded, candidates) if raw is not None]
            return any(check(raw, message) for check in self._publics for raw in raws)  # nothing secret in it
        encode, algorithm = ENCODERS[self.signature.encoding], HASHES[self.signature.algorithm]
        expected = [encode(hmac.digest(key, message, algorithm)) for key in self._secrets]
        if is_case_ignored:
            expected, candidates = [one.lower() for one in expected], [one.lower() for one in candidates]
        matches = [hmac.compare_digest(one, candidate) for one in expected for candidate in candidates]
        return any(matches)

    def _decoded(self, candidate: bytes) -> bytes | None:
        """The bytes of a signature; None unless it is written exactly as the profile writes it."""
        if self.signature.encoding == "base64":
            return strict_base64(candidate)
        try:
            raw = bytes.fromhex(candidate.decode("ascii"))
        except ValueError:
            return None
        return raw if ENCODERS[self.signature.encoding](raw) == candidate else None


def check_token(token: Token, known: Sequence[str], headers: HeaderText) -> None:
    """Raises missing_token or wrong_token."""
    form = f"{token.before}…{token.after}"
    hint = f" This profile sends {form!r} there. Does the webhook have a token, and does a proxy take the header away?"
    value = headers.get(token.header, "missing_token", hint)
    # What stands in a header is text of some bytes: frameworks read them as Latin-1, some as UTF-8.
    given = value.encode(errors="replace")
    as_latin = value.encode("latin-1", errors="replace")
    expected = [f"{token.before}{one}{token.after}".encode() for one in known]
    matches = [hmac.compare_digest(one, other) for one in expected for other in (given, as_latin)]
    if not any(matches):
        is_formed = value.startswith(token.before) and value.endswith(token.after)
        why = "" if is_formed else f" It is not even of the form {form!r}."
        raise VerificationError(
            "wrong_token",
            f"{token.header} does not hold this webhook's token. Compare it with the one that was set.{why}",
        )
