"""The keys that are made at first start."""

import stat
import threading
from pathlib import Path

import msgspec
import pytest

from hookspan.errors import ConfigurationError
from hookspan.keys import find_operator_key, replace_operator_key, with_keys
from hookspan.settings import Settings, new_encryption_key, new_operator_key


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/data/hookspan.db")


def test_the_first_start_makes_both_keys(settings: Settings) -> None:
    """Both keys lie in the data folder, readable by their owner only, and nothing else is left there."""
    ready = with_keys(settings)
    assert ready.operator_key.startswith("hk_op_")
    assert ready.encryption_key
    files = sorted(settings.data_folder.iterdir())
    assert [file.name for file in files] == ["encryption.key", "operator.key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(settings.data_folder.stat().st_mode) == 0o700


def test_later_starts_keep_them(settings: Settings) -> None:
    """The same keys are found again."""
    first = with_keys(settings)
    settings.database_path.touch()
    assert with_keys(settings) == first
    assert find_operator_key(settings) == first.operator_key


def test_given_keys_are_used_and_not_written(settings: Settings) -> None:
    """What the operator gives stays the operator's: no file appears."""
    given = Settings(
        database_url=settings.database_url, operator_key="given-by-operator", encryption_key=new_encryption_key()
    )
    assert with_keys(given) == given
    assert list(given.data_folder.iterdir()) == []
    assert find_operator_key(given) == "given-by-operator"


def test_racing_first_starts_agree(settings: Settings) -> None:
    """Sixteen first starts at once end with one pair of keys."""
    gate = threading.Barrier(16)
    seen: list[Settings] = []

    def start() -> None:
        gate.wait()
        seen.append(with_keys(settings))

    threads = [threading.Thread(target=start) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 16
    assert {(one.operator_key, one.encryption_key) for one in seen} == {(seen[0].operator_key, seen[0].encryption_key)}
    assert len(list(settings.data_folder.iterdir())) == 2


def test_a_database_without_its_encryption_key_is_not_started(settings: Settings) -> None:
    """A fresh key could not read the sealed secrets, so none is made."""
    with_keys(settings)
    settings.database_path.touch()
    (settings.data_folder / "encryption.key").unlink()
    with pytest.raises(ConfigurationError, match="encryption key is not"):
        with_keys(settings)
    assert not (settings.data_folder / "encryption.key").exists()


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff"])
def test_an_empty_key_file_is_refused(settings: Settings, content: bytes) -> None:
    """A truncated key is told, not replaced."""
    with_keys(settings)
    (settings.data_folder / "operator.key").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"operator\.key holds no key"):
        with_keys(settings)


@pytest.mark.parametrize("key", ["short", "long enough but with spaces", "line one is long\nline two is long"])
def test_a_weak_operator_key_in_the_file_is_refused(settings: Settings, key: str) -> None:
    """The file is held to the rule of HOOKSPAN_OPERATOR_KEY, at start and wherever it is read, with the way out."""
    with_keys(settings)
    (settings.data_folder / "operator.key").write_text(key + "\n", encoding="ascii")
    for read in (with_keys, find_operator_key):
        with pytest.raises(ConfigurationError, match=r"operator\.key: the key must be at least 16.*--save") as caught:
            read(settings)
        assert key not in caught.value.detail


def test_a_broken_encryption_key_in_the_file_is_refused(settings: Settings) -> None:
    """With the file's name, and never replaced."""
    with_keys(settings)
    path = settings.data_folder / "encryption.key"
    path.write_text("bm90IDMyIGJ5dGVz\n", encoding="ascii")
    with pytest.raises(ConfigurationError, match=r"encryption\.key: .*32 bytes in base64\. Put it back"):
        with_keys(settings)
    assert path.read_text(encoding="ascii") == "bm90IDMyIGJ5dGVz\n"


@pytest.mark.parametrize("name", ["operator.key", "encryption.key"])
def test_a_key_file_that_others_may_read_is_made_private(settings: Settings, name: str) -> None:
    """A start takes it away from group and others; the key stays."""
    first = with_keys(settings)
    path = settings.data_folder / name
    path.chmod(0o644)
    assert with_keys(settings) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_file_that_can_not_be_made_private_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it belongs to somebody else, the start says what to do."""
    with_keys(settings)
    (settings.data_folder / "operator.key").chmod(0o640)

    def refuse(_path: Path, _mode: int) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(ConfigurationError, match=r"operator\.key can be read by others \(mode 0640\); make it 0600"):
        with_keys(settings)


def test_a_folder_that_can_not_be_used_is_refused(tmp_path: Path) -> None:
    """A file in the folder's place is told in one line."""
    (tmp_path / "data").touch()
    with pytest.raises(ConfigurationError, match="data folder"):
        with_keys(Settings(database_url=f"sqlite:///{tmp_path}/data/hookspan.db"))


def test_replacing_the_operator_key_is_atomic_and_private(settings: Settings) -> None:
    """The new key is found afterwards, 0600, and no leftover stays."""
    with_keys(settings)
    path = replace_operator_key(settings, "hk_op_" + "n" * 43)
    assert find_operator_key(settings) == "hk_op_" + "n" * 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(list(settings.data_folder.iterdir())) == 2


def test_no_key_yet_is_none(settings: Settings) -> None:
    """Asking for a key makes none."""
    assert find_operator_key(settings) is None
    assert not settings.data_folder.exists()


def test_shared_nodes_are_given_their_keys() -> None:
    """A node on PostgreSQL makes none of its own: the others' secrets would be closed to it."""
    settings = Settings(database_url="postgresql://db/hookspan")
    with pytest.raises(ConfigurationError, match=r"HOOKSPAN_ENCRYPTION_KEY.*keys new --kind encryption"):
        with_keys(settings)
    settings = msgspec.structs.replace(settings, encryption_key=new_encryption_key())
    with pytest.raises(ConfigurationError, match=r"HOOKSPAN_OPERATOR_KEY.*keys new --kind operator"):
        with_keys(settings)
    settings = msgspec.structs.replace(settings, operator_key=new_operator_key())
    assert with_keys(settings) == settings
