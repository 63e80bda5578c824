"""Planted secrets never pass the gate; ordinary code passes it untouched."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.workspace.secret_paths import path_reason
from qwen_lsp.workspace.secrets import Gate, Withheld
from tests.workspace.keys import B64, FORMATS, RANDOM, pem

GATE = Gate(None)

CONTEXTS = [
    ("a.py", 'client = Client("{}")\n'),
    ("a.py", "KEY = '{}'  # for now\n"),
    ("a.ts", "const options = {{ auth: `{}` }};\n"),
    ("a.yaml", "service:\n  key: {}\n"),
    ("README.md", "export TOKEN={}\n"),
    ("a.json", '{{"value": "{}"}}\n'),
    ("a.go", 'fmt.Println("a\\n{}\\n")\n'),
    ("a.txt", "{}\n"),
    ("a.html", '<a href="https://example.org/?token={}&x=1">\n'),
]


@pytest.mark.parametrize("name", FORMATS)
def test_known_formats_are_redacted_wherever_they_stand(name: str) -> None:
    rng = random.Random(name)  # noqa: S311
    for path, context in CONTEXTS:
        for _ in range(3):
            key = FORMATS[name](rng)
            text = "x = 1\n" + context.format(key) + "y = 2\n"
            admission = GATE.admit(path, text)
            assert admission.text is not None
            assert key not in admission.text, (key, context)
            # Not even most of it.
            assert key[-12:] not in admission.text
            assert key[4:24] not in admission.text
            assert admission.text.count("\n") == text.count("\n")
            assert admission.text.startswith("x = 1\n")
            assert admission.text.endswith("y = 2\n")
            line = text[: text.index(key)].count("\n") + 1
            assert line in [w.line for w in admission.withheld]


ASSIGNMENTS = [
    ("a.py", 'PASSWORD = "{}"\n'),
    ("a.py", "db_password: str = '{}'\n"),
    ("a.py", 'os.environ["API_SECRET"] = "{}"\n'),
    ("a.py", 'connect(host, password="{}")\n'),
    ("a.py", '{{"client_secret": "{}"}}\n'),
    ("a.js", "const apiKey = '{}';\n"),
    ("a.ts", "auth: {{ accessToken: '{}' }},\n"),
    ("a.go", 'secretKey := "{}"\n'),
    ("a.rb", "config.secret_key_base = '{}'\n"),
    ("a.php", "'password' => '{}',\n"),
    ("a.java", 'String apiKey = "{}";\n'),
    ("a.json", '"auth_token": "{}"\n'),
    ("a.yml", "password: {}\n"),
    ("a.yml", "  - api_key: {}\n"),
    ("a.ini", "secret_key={}\n"),
    ("a.properties", "spring.datasource.password={}\n"),
    ("a.toml", 'token = "{}"\n'),
    ("deploy.sh", "export DB_PASSWORD={}\n"),
    ("Dockerfile", "ENV API_TOKEN={}\n"),
    ("a.sh", "mysql --password={} db\n"),
    ("a.xml", "<password>{}</password>\n"),
    ("a.config", '<add key="ApiKey" value="{}" />\n'),
    ("a.cs", 'var c = "Server=db;User Id=sa;Password={};";\n'),
    ("a.py", 'url = "postgres://app:{}@db.internal:5432/app"\n'),
]


# A password that somebody chose is known only where a password is asked for.
CASES = [
    (path, context, kind)
    for path, context in ASSIGNMENTS
    for kind in RANDOM
    if kind != "password" or re.search("password|postgres", context, re.IGNORECASE)
]


@pytest.mark.parametrize(("path", "context", "kind"), CASES)
def test_values_that_stand_where_a_secret_stands_are_redacted(path: str, context: str, kind: str) -> None:
    rng = random.Random(path + context + kind)  # noqa: S311
    for _ in range(5):
        value = RANDOM[kind](rng)
        if kind == "base64" and "postgres" in context:
            value = value.replace("/", "a")  # would have to be escaped there
        text = context.format(value)
        assert value not in (GATE.admit(path, text).text or ""), value


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Basic", "token"])
def test_authorization_headers_are_redacted(scheme: str) -> None:
    rng = random.Random(scheme)  # noqa: S311
    for context in ('"Authorization": "{} {}"', "curl -H 'Authorization: {} {}' https://example.org"):
        value = RANDOM["base62"](rng)
        assert value not in (GATE.admit("a.py", context.format(scheme, value)).text or "")


def test_the_second_half_of_a_pair_is_redacted_too() -> None:
    rng = random.Random(1)  # noqa: S311
    key, secret = FORMATS["AWS access key"](rng), "".join(rng.choice(B64) for _ in range(37)) + "aZ9"
    text = f"{key}\n\nsomething\n{secret}\n"
    assert GATE.admit("notes.txt", text).text == (
        "<redacted: AWS access key>\n\nsomething\n<redacted: AWS secret key>\n"
    )


@pytest.mark.parametrize("kind", ["RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", ""])
def test_private_keys_are_redacted_with_all_their_lines(kind: str) -> None:
    key = pem(random.Random(kind), kind)  # noqa: S311
    body = key.split("\n")[3]
    for text in (
        f"a\n{key}\nb\n",
        f'KEY = """{key}"""\nx\n',
        '{"private_key": "' + key.replace("\n", "\\n") + '"}\n',
        "".join(f'  "{line}\\n" +\n' for line in key.split("\n")),
        "  key: |\n" + "".join(f"    {line}\n" for line in key.split("\n")) + "other: 1\n",
    ):
        shown = GATE.admit("a.py", text).text
        assert shown is not None
        assert body not in shown
        assert shown.count("\n") == text.count("\n")
        assert len(re.findall("[A-Za-z0-9+/]{40}", shown)) == 0


def test_a_private_key_that_was_cut_is_redacted_as_far_as_it_goes() -> None:
    key = pem(random.Random(3))  # noqa: S311
    lines = key.split("\n")
    for part in ("\n".join(lines[:6]) + "\n", "\n".join(lines[6:]) + "\nrest\n"):
        shown = GATE.admit("a.py", part).text
        assert shown is not None
        assert lines[5] not in shown
        assert lines[7] not in shown
        assert shown.count("\n") == part.count("\n")


ORDINARY = """\
import os
password = os.environ["PASSWORD"]
token = get_token(user_id=12, scope="read:user")
secret = config.get("secret", default="changeme")
API_KEY = "your-api-key-here"
API_KEY = "<your key>"
api_key = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}
token: "{{ vault_token }}"
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
commit = "9f45b95d8c6a1b0e2f3344556677889900aabbcc"
id = "123e4567-e89b-12d3-a456-426614174000"
integrity = "sha512-9VvspTSUp2Sxbl+9vbZTlFGq9lHwE8GDVVekxx6YsNd1YH59sb3Ba8v3Y3cD8PkLNcileGGcA21PFjVl0jzDaw=="
PRIMARY_KEY_CONSTRAINT_NAME = "pk_users_primary_key_constraint"
password_hash = hash_password(password, rounds=12)
token_type = "application/x-www-form-urlencoded"
secret_name = "projects/12345/secrets/database-password/versions/1"
SECRET_FILE = "/run/secrets/db_password_v2"
url = "https://user:password@example.com/path"
url = "postgresql://scott:tiger@localhost/test"
url = "redis://localhost:6379/0"
if tokens[i] == "Identifier1Start2": pass
def test_password_is_too_short_1(self): ...
keyboard_shortcut = "Ctrl+Shift+Alt+F12"
cache_key = f"user:{user.id}:profile:v2"
sort_key = "created_at,updated_at"
primary_key=True, foreign_key="users.id"
image = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
self.assertEqual(token.value, "identifier")
sk-fading-circle12 sk-folding-cube sk-rotating-plane-with-a-long-name
.ghost_button_primary_large_rounded { color: #fff }
eslint-plugin-jsx-a11y key-value-store-with-a-long-name-here
-----BEGIN CERTIFICATE-----
"""


def test_ordinary_code_is_not_touched() -> None:
    for path in ("a.py", "a.ts", "a.md"):
        admission = GATE.admit(path, ORDINARY)
        assert admission.withheld == ()
        assert admission.text == ORDINARY


def test_this_repository_holds_no_secret() -> None:
    root = Path(__file__).resolve().parents[2]
    lines = found = 0
    for folder in ("qwen_lsp", "tests"):
        for file in (root / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            lines += text.count("\n")
            found += len(GATE.secrets(file.name, text))
    assert found * 10_000 <= lines


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".env.local",
        "config/.env.production",
        "prod.env",
        "server.pem",
        "tls/server.key",
        "id_rsa",
        ".ssh/id_ed25519",
        "id_rsa_work",
        "store.p12",
        "cert.pfx",
        "app.jks",
        "release.keystore",
        ".netrc",
        ".pgpass",
        ".npmrc",
        ".pypirc",
        "credentials.json",
        "service-account.json",
        "service-account-prod.json",
        "secrets.yml",
        "secrets.yaml",
        "config/secrets.json",
        ".aws/credentials",
        "home/.kube/config",
        ".docker/config.json",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "prod.tfvars",
        ".htpasswd",
        "passwords.kdbx",
        ".ENV",
        "Server.PEM",
        ".git-credentials",
        "vault.yml",
        "client_secret_123.json",
    ],
)
def test_files_that_are_withheld_by_name(path: str) -> None:
    assert path_reason(path) is not None
    admission = GATE.admit(path, "harmless")
    assert admission.text is None
    assert [w.path for w in admission.withheld] == [path]


@pytest.mark.parametrize(
    "path",
    [
        ".env.example",
        ".env.sample",
        ".env.template",
        "env.py",
        "environment.ts",
        "id_rsa.pub",
        "keys.py",
        "key.ts",
        "secrets.py",
        "src/secrets/mod.rs",
        "tokens.json",
        "package.json",
        "config.json",
        "kube/config.go",
        "credentials.py",
        "terraform.tf",
        ".envoy.yaml",
        "public.pem",
        "docker/config.json",
        "service-account.md",
        "monkey.txt",
    ],
)
def test_files_that_pass_by_name(path: str) -> None:
    assert path_reason(path) is None


def test_the_users_own_rules(tmp_path: Path) -> None:
    gate = Gate(
        tmp_path,
        globs=["private/", "*.internal"],
        patterns=[r"ACME-\d{6}", r"pin=(\d{4})"],
        ignored=lambda path: path.endswith(".log"),
    )
    assert gate.admits_path("private/deep/a.py") == "withheld by a setting"
    assert gate.admits_path(str(tmp_path / "a.internal")) == "withheld by a setting"
    assert gate.admits_path("a.log") == "ignored file"
    assert gate.admits_path("a.py") is None
    assert gate.admit("a.py", "see ACME-123456, pin=1234\n").text == (
        "see <redacted: withheld by a setting>, pin=<redacted: withheld by a setting>\n"
    )


def test_a_secret_across_the_cursor_is_redacted_on_both_sides() -> None:
    key = FORMATS["GitHub classic"](random.Random(5))  # noqa: S311
    text = f'a = 1\nkey = "{key}"\nb = 2\n'
    for offset in range(len(text) + 1):
        before, after = GATE.admit_around("a.py", text, offset)
        assert before.text is not None
        assert after.text is not None
        assert not re.search("[A-Za-z0-9]{20}", before.text + "|" + after.text)
        assert (before.text + after.text).count("\n") == 3
    assert GATE.admit_around(".env", text, 3)[0].text is None
    assert GATE.admit_around("a.py", "ab", 1)[0].text == "a"


def test_an_answer_is_remembered_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(None)
    key = FORMATS["npm"](random.Random(6))  # noqa: S311
    first = gate.admit("a.py", f"t = '{key}'\n")
    asked: list[str] = []
    monkeypatch.setattr(Gate, "secrets", lambda self, path, text: asked.append(path) or [])  # pyright: ignore[reportUnknownArgumentType,reportUnknownLambdaType]
    assert gate.admit("a.py", f"t = '{key}'\n") is first
    assert first.withheld == (Withheld("a.py", "npm token", 1),)
    for number in range(6_000):
        gate.admit("a.py", f"x = {number}\n")
    assert len(asked) == 6_000
    assert len(gate._known) <= 4_096  # pyright: ignore[reportPrivateUsage]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.sampled_from(sorted(FORMATS)), st.text(max_size=100))
def test_lines_stay_where_they_are(before: str, name: str, after: str) -> None:
    key = FORMATS[name](random.Random(name))  # noqa: S311
    text = f'{before}\n"{key}"\n{after}'
    shown = GATE.admit("a.py", text).text
    assert shown is not None
    assert key not in shown
    assert shown.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "authorization " * 4_000,
        "://" * 20_000 + "@",
        "password=" * 6_000,
        "a" * 60_000,
        "A1b2" * 15_000,
        "key " * 15_000,
        ("-----BEGIN PRIVATE" + " KEY-----\n") * 1_000,
        "eyJ" * 20_000,
        "token: '" * 8_000,
        "x.y_" * 15_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    Gate(None).admit("a.yaml", text)
    assert time.process_time() - began < 1.0
