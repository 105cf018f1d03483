"""Settings: four sources, one decoding, and every refusal names the setting."""

from pathlib import Path

import pytest

from hookspan.errors import ConfigurationError
from hookspan.settings import (
    SETTING_NAMES,
    Settings,
    decode_encryption_key,
    load_settings,
    new_encryption_key,
    new_operator_key,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write_toml(folder: Path, text: str) -> None:
    (folder / "hookspan.toml").write_text(text, encoding="utf-8")


def refusal(folder: Path, *, environment: dict[str, str] | None = None, **flags: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(flags, environment=environment or {}, folder=folder)
    return caught.value.detail


def test_nothing_said_gives_the_defaults(folder: Path) -> None:
    """Without any source the documented defaults hold."""
    settings = load_settings(environment={"PATH": "/bin"}, folder=folder)
    assert settings == Settings()
    assert (settings.host, settings.port, settings.retention_days) == ("127.0.0.1", 8400, 30)
    assert settings.database_path == Path("hookspan-data/hookspan.db")
    assert settings.data_folder == Path("hookspan-data")


def test_a_later_source_wins(folder: Path) -> None:
    """The file beats the defaults, the environment the file, a flag the environment; the rest stays."""
    write_toml(folder, 'port = 1\nhost = "a.example"\nretention_days = 7\n')
    settings = load_settings(
        {"port": 3}, environment={"HOOKSPAN_PORT": "2", "HOOKSPAN_HOST": "b.example"}, folder=folder
    )
    assert (settings.port, settings.host, settings.retention_days) == (3, "b.example", 7)


def test_text_is_decoded_by_the_setting_s_type(folder: Path) -> None:
    """The environment has only text: numbers, booleans and lists are read from it."""
    environment = {
        "HOOKSPAN_PORT": "9000",
        "HOOKSPAN_EGRESS_ALLOW_HTTP": "true",
        "HOOKSPAN_EGRESS_ALLOW": "127.0.0.0/8, ::1/128",
        "HOOKSPAN_EGRESS_ADDRESSES": "198.51.100.7",
    }
    settings = load_settings(environment=environment, folder=folder)
    assert settings.port == 9000
    assert settings.egress_allow_http is True
    assert settings.egress_allow == ("127.0.0.0/8", "::1/128")
    assert settings.egress_addresses == ("198.51.100.7",)


def test_the_file_may_write_lists_as_lists(folder: Path) -> None:
    """TOML has lists; both forms are fine there."""
    write_toml(folder, 'egress_allow = ["10.0.0.0/8"]\negress_addresses = "198.51.100.7"\n')
    settings = load_settings(environment={}, folder=folder)
    assert settings.egress_allow == ("10.0.0.0/8",)
    assert settings.egress_addresses == ("198.51.100.7",)


def test_the_client_s_variables_are_no_settings(folder: Path) -> None:
    """HOOKSPAN_URL and HOOKSPAN_KEY stand in the environment of who asks a server: not refused, and not settings."""
    environment = {"HOOKSPAN_URL": "http://h:1", "HOOKSPAN_KEY": "hk_op_x"}
    assert load_settings(environment=environment, folder=folder) == Settings()
    write_toml(folder, 'key = "x"\n')
    assert "Unknown setting key" in refusal(folder)


def test_the_file_can_lie_elsewhere(folder: Path) -> None:
    """HOOKSPAN_CONFIG names another file, and then it must be there."""
    other = folder / "other.toml"
    other.write_text("port = 77\n", encoding="utf-8")
    assert load_settings(environment={"HOOKSPAN_CONFIG": str(other)}, folder=folder).port == 77
    assert "nowhere.toml" in refusal(folder, environment={"HOOKSPAN_CONFIG": str(folder / "nowhere.toml")})


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HOOKSPAN_PROT": "1"}, "HOOKSPAN_PROT"),
        ({"HOOKSPAN_PORT": "many"}, "HOOKSPAN_PORT"),
        ({"HOOKSPAN_PORT": "65536"}, "HOOKSPAN_PORT"),
        ({"HOOKSPAN_HOST": ""}, "HOOKSPAN_HOST"),
        ({"HOOKSPAN_RETENTION_DAYS": "0"}, "HOOKSPAN_RETENTION_DAYS"),
        ({"HOOKSPAN_LOG_LEVEL": "loud"}, "HOOKSPAN_LOG_LEVEL"),
        ({"HOOKSPAN_EGRESS_ALLOW_HTTP": "perhaps"}, "HOOKSPAN_EGRESS_ALLOW_HTTP"),
        ({"HOOKSPAN_EGRESS_ALLOW": "10.0.0.1/8"}, "HOOKSPAN_EGRESS_ALLOW"),
        ({"HOOKSPAN_EGRESS_ADDRESSES": "example.com"}, "HOOKSPAN_EGRESS_ADDRESSES"),
        ({"HOOKSPAN_TRUSTED_PROXIES": "10.0.0.1/8"}, "HOOKSPAN_TRUSTED_PROXIES"),
        ({"HOOKSPAN_EGRESS_PROXY": "proxy:3128"}, "HOOKSPAN_EGRESS_PROXY"),
        ({"HOOKSPAN_EGRESS_PROXY": "http://proxy:port"}, "HOOKSPAN_EGRESS_PROXY"),
        ({"HOOKSPAN_EGRESS_CA_FILE": "/no/such.pem"}, "HOOKSPAN_EGRESS_CA_FILE"),
        ({"HOOKSPAN_PROFILES_PATH": "/no/such/folder"}, "HOOKSPAN_PROFILES_PATH"),
        ({"HOOKSPAN_PUBLIC_URL": "hooks.example.com"}, "HOOKSPAN_PUBLIC_URL"),
        ({"HOOKSPAN_PUBLIC_URL": "https://hooks.example.com/"}, "HOOKSPAN_PUBLIC_URL"),
        ({"HOOKSPAN_PUBLIC_URL": "https://user@hooks.example.com"}, "HOOKSPAN_PUBLIC_URL"),
        ({"HOOKSPAN_PUBLIC_URL": "https://hooks.example.com?x"}, "HOOKSPAN_PUBLIC_URL"),
        ({"HOOKSPAN_PUBLIC_URL": "https://hooks.example.com:0"}, "HOOKSPAN_PUBLIC_URL"),
        ({"HOOKSPAN_PUBLIC_URL": "https://[::1"}, "HOOKSPAN_PUBLIC_URL"),
        ({"HOOKSPAN_PUBLIC_URL": "https://a b"}, "HOOKSPAN_PUBLIC_URL"),
        ({"HOOKSPAN_PUBLIC_URL": ""}, "HOOKSPAN_PUBLIC_URL"),
        ({"HOOKSPAN_OPERATOR_KEY": "short"}, "HOOKSPAN_OPERATOR_KEY"),
        ({"HOOKSPAN_OPERATOR_KEY": "long enough but with spaces"}, "HOOKSPAN_OPERATOR_KEY"),
        ({"HOOKSPAN_ENCRYPTION_KEY": "bm90IDMyIGJ5dGVz"}, "HOOKSPAN_ENCRYPTION_KEY"),
        ({"HOOKSPAN_ENCRYPTION_KEY": "not base64!"}, "HOOKSPAN_ENCRYPTION_KEY"),
        ({"HOOKSPAN_DATABASE_URL": "mysql://db"}, "HOOKSPAN_DATABASE_URL"),
        ({"HOOKSPAN_DATABASE_URL": "sqlite:///"}, "HOOKSPAN_DATABASE_URL"),
        ({"HOOKSPAN_OPERATOR_KEY_FILE": "/no/such/key"}, "HOOKSPAN_OPERATOR_KEY_FILE"),
        ({"HOOKSPAN_PORT_FILE": "/port"}, "HOOKSPAN_PORT_FILE"),
    ],
)
def test_what_is_unknown_or_wrong_is_refused_by_name(folder: Path, environment: dict[str, str], said: str) -> None:
    """A typo or a wrong value never passes silently, and the refusal names the variable."""
    detail = refusal(folder, environment=environment)
    assert said in detail
    assert "environment" in detail or said.endswith("_FILE")


def test_a_typo_is_answered_with_what_was_meant(folder: Path) -> None:
    """The nearest known name is offered, in the form of its source."""
    assert "Did you mean HOOKSPAN_PORT?" in refusal(folder, environment={"HOOKSPAN_PROT": "1"})
    write_toml(folder, "retention_day = 3\n")
    assert "Did you mean retention_days?" in refusal(folder)


@pytest.mark.parametrize(
    ("text", "said"), [("port = [1]", "port"), ("port = ", "hookspan.toml"), ("[egress]\nallow = []", "egress")]
)
def test_a_wrong_file_is_refused_with_its_place(folder: Path, text: str, said: str) -> None:
    """What is wrong in the file is told with the file and the key."""
    write_toml(folder, text)
    detail = refusal(folder)
    assert said in detail
    assert "hookspan.toml" in detail


def test_a_wrong_flag_is_named_as_the_flag(folder: Path) -> None:
    """Where a flag was wrong, the refusal speaks of the flag."""
    assert refusal(folder, log_level="loud").startswith("--log-level")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("port", "abc", "must be a whole number from 1 to 65535"),
        ("port", "65536", "must be a whole number from 1 to 65535"),
        ("retention_days", "9999", "must be a whole number from 1 to 3650"),
        ("log_level", "loud", "must be debug, info, warning or error"),
        ("egress_allow_http", "perhaps", "must be true or false"),
    ],
)
def test_a_refusal_says_what_is_allowed(folder: Path, name: str, value: str, allowed: str) -> None:
    """In words for people, whichever source it was said in."""
    assert allowed in refusal(folder, environment={f"HOOKSPAN_{name.upper()}": value})
    flags: dict[str, object] = {name: value}
    with pytest.raises(ConfigurationError, match=allowed):
        load_settings(flags, environment={}, folder=folder)


def test_a_database_may_be_shared(folder: Path) -> None:
    """On PostgreSQL a node has a role, and the password is shown nowhere."""
    url = "postgresql://user:hunter2@db:5433/hookspan"
    environment = {"HOOKSPAN_DATABASE_URL": url, "HOOKSPAN_ROLE": "intake", "HOOKSPAN_DATABASE_REPLICA_URL": url}
    settings = load_settings(environment=environment, folder=folder)
    assert settings.is_shared
    assert settings.role == "intake"
    assert "hunter2" not in repr(settings)
    assert "db:5433/hookspan" in repr(settings)


def test_a_database_has_a_number(folder: Path) -> None:
    """Among those that applications move between; a file is none of these."""
    url = {"HOOKSPAN_DATABASE_URL": "postgresql://user@db/hookspan"}
    assert load_settings(environment=url, folder=folder).cell == 0
    assert load_settings(environment=url | {"HOOKSPAN_CELL": "15"}, folder=folder).cell == 15
    assert "from 0 to 15" in refusal(folder, environment=url | {"HOOKSPAN_CELL": "16"})
    assert "PostgreSQL" in refusal(folder, environment={"HOOKSPAN_CELL": "3"})


@pytest.mark.parametrize(
    "url", ["postgresql://", "postgresql://db", "postgresql://db/", "postgresql://db/x\n", "mysql://db/x"]
)
def test_what_is_no_database(folder: Path, url: str) -> None:
    """It says how a database is written."""
    assert "postgresql://user" in refusal(folder, environment={"HOOKSPAN_DATABASE_URL": url})


def test_a_password_has_one_place(folder: Path) -> None:
    """Elsewhere in the address it would be shown."""
    detail = refusal(folder, environment={"HOOKSPAN_DATABASE_URL": "postgresql://db/x?password=hunter2"})
    assert "before the host" in detail
    assert "hunter2" not in detail


@pytest.mark.parametrize(
    ("name", "value"),
    [("ROLE", "intake"), ("DATABASE_LISTEN_URL", "postgresql://db/x"), ("DATABASE_REPLICA_URL", "postgresql://db/x")],
)
def test_what_sqlite_has_not(folder: Path, name: str, value: str) -> None:
    """What is about many nodes is refused where there is one, rather than ignored."""
    assert "PostgreSQL" in refusal(folder, environment={f"HOOKSPAN_{name}": value})


def test_a_secret_can_come_from_a_file(folder: Path) -> None:
    """NAME_FILE gives the content of a file without its last line end."""
    (folder / "key").write_text("a-key-of-an-operator\n", encoding="utf-8")
    settings = load_settings(environment={"HOOKSPAN_OPERATOR_KEY_FILE": str(folder / "key")}, folder=folder)
    assert settings.operator_key == "a-key-of-an-operator"


def test_a_secret_s_file_beats_the_value_of_an_earlier_source(folder: Path) -> None:
    """The order of sources counts, not the form."""
    write_toml(folder, 'operator_key = "the-key-of-the-file"\n')
    (folder / "key").write_text("the-key-of-the-environment", encoding="utf-8")
    settings = load_settings(environment={"HOOKSPAN_OPERATOR_KEY_FILE": str(folder / "key")}, folder=folder)
    assert settings.operator_key == "the-key-of-the-environment"


def test_a_value_and_its_file_are_not_both_given(folder: Path) -> None:
    """Two truths in one source are refused."""
    environment = {"HOOKSPAN_OPERATOR_KEY": "x" * 20, "HOOKSPAN_OPERATOR_KEY_FILE": "/key"}
    assert "not both" in refusal(folder, environment=environment)


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_secret_s_file_must_hold_text(folder: Path, content: bytes) -> None:
    """An empty or binary file is refused rather than used."""
    (folder / "key").write_bytes(content)
    assert "HOOKSPAN_OPERATOR_KEY_FILE" in refusal(
        folder, environment={"HOOKSPAN_OPERATOR_KEY_FILE": str(folder / "key")}
    )


def test_a_wrong_secret_from_a_file_is_told_with_its_file_s_name(folder: Path) -> None:
    """Where to look: not at a variable that nobody has set."""
    (folder / "key").write_text("short", encoding="utf-8")
    said = refusal(folder, environment={"HOOKSPAN_OPERATOR_KEY_FILE": str(folder / "key")})
    assert "HOOKSPAN_OPERATOR_KEY_FILE (the environment)" in said


@pytest.mark.parametrize("url", ["https://hooks.example.com", "http://10.0.0.1:8400", "https://example.com/hookspan"])
def test_the_public_address_may_have_a_port_and_a_path(folder: Path, url: str) -> None:
    """As it is behind other servers."""
    assert load_settings(environment={"HOOKSPAN_PUBLIC_URL": url}, folder=folder).public_url == url


def test_an_absolute_database_has_four_slashes(folder: Path) -> None:
    """sqlite:////var/lib is absolute, sqlite:///var/lib is not."""
    settings = load_settings({"database_url": "sqlite:////var/lib/h.db"}, environment={}, folder=folder)
    assert settings.database_path == Path("/var/lib/h.db")
    assert settings.data_folder == Path("/var/lib")


def test_no_secret_is_in_the_representation() -> None:
    """Settings may end in a log or a traceback, their secrets not."""
    settings = Settings(
        operator_key=new_operator_key(),
        encryption_key=new_encryption_key(),
        egress_proxy="http://user:hunter2@proxy:3128",
        database_url="sqlite:///x.db",
    )
    text = repr(settings)
    assert settings.operator_key not in text
    assert settings.encryption_key not in text
    assert "hunter2" not in text
    assert "proxy:3128" in text
    assert "sqlite:///x.db" in text


def test_made_keys_are_strong_and_accepted() -> None:
    """A made operator key carries 256 bits behind its prefix; a made encryption key is 32 bytes."""
    assert new_operator_key().startswith("hk_op_")
    assert len(new_operator_key()) == len("hk_op_") + 43
    assert new_operator_key() != new_operator_key()
    assert len(decode_encryption_key(new_encryption_key())) == 32
    with pytest.raises(ConfigurationError):
        decode_encryption_key("")


def test_the_names_are_pinned() -> None:
    """Outside checks and users' files use these names."""
    assert sorted(SETTING_NAMES) == sorted(
        [
            "database_url", "host", "port", "operator_key", "encryption_key", "egress_allow", "egress_allow_http",
            "egress_ca_file", "egress_proxy", "egress_addresses", "retention_days", "log_level", "profiles_path",
            "management_rate",
            "public_url", "trusted_proxies", "smtp_url", "smtp_from", "support_contact",
            "brand_name", "brand_logo", "brand_colour",
            "role", "trust_window", "start_paused", "cell",
            "database_listen_url", "database_replica_url", "database_prepared",
        ]
    )  # fmt: skip
