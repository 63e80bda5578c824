"""Which files are secret by their name alone: nothing of them may reach a prompt."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache

_TEMPLATES = ("example", "sample", "template", "dist", "defaults", "tpl", "schema", "test")

_BY_NAME: tuple[tuple[str, str], ...] = (
    ("environment file", ".env .env.* *.env .envrc .flaskenv"),
    (
        "private key or certificate",
        "*.pem *.key *.p12 *.pfx *.p8 *.pkcs12 *.jks *.keystore *.bks *.ppk *.asc",
    ),
    ("private key", "id_rsa* id_dsa* id_ecdsa* id_ed25519* id_xmss* *.gpg *.pgp secring.* ssh_host_*_key"),
    ("password store", "*.kdbx *.kdb *.agilekeychain *.opvault *.psafe3 .htpasswd *.keychain *.keychain-db"),
    ("login data", ".netrc _netrc .pgpass .my.cnf .mylogin.cnf .git-credentials .boto .s3cfg .vault-token"),
    ("registry login", ".npmrc .yarnrc.yml .pypirc .dockercfg .terraformrc terraform.rc .gem_credentials"),
    ("cloud credentials", "credentials.json credentials.y*ml service-account*.json service_account*.json"),
    (
        "cloud credentials",
        "gcp-key*.json gcloud-service-key.json client_secret*.json *-firebase-adminsdk-*.json",
    ),
    (
        "cloud credentials",
        "application_default_credentials.json serviceaccountkey.json kubeconfig *.kubeconfig",
    ),
    ("secrets file", "secrets.y*ml secrets.json secrets.toml secrets.properties secrets.ini secret.y*ml"),
    ("secrets file", "secrets.*.y*ml *.secrets.y*ml secrets.env *.secret *.secrets .secrets master.key"),
    ("secrets file", "vault.y*ml *.vault.y*ml vault_pass* .vault_pass* *.ovpn wp-config.php"),
    ("Terraform state", "*.tfstate *.tfstate.* *.tfvars *.tfvars.json"),
    (
        "shell history",
        ".bash_history .zsh_history .python_history .psql_history .mysql_history .node_repl_history",
    ),
)
_BY_FOLDER = {
    ".aws/credentials": "cloud credentials",
    ".aws/config": "cloud credentials",
    ".azure/accesstokens.json": "cloud credentials",
    ".config/gcloud": "cloud credentials",
    ".kube/config": "cluster credentials",
    ".docker/config.json": "registry login",
    ".cargo/credentials": "registry login",
    ".cargo/credentials.toml": "registry login",
    ".gem/credentials": "registry login",
    ".m2/settings.xml": "registry login",
    ".composer/auth.json": "registry login",
    ".config/gh/hosts.yml": "login data",
    ".streamlit/secrets.toml": "secrets file",
    ".local/share/keyrings": "password store",
    ".mozilla": "profile of a browser",
    ".config/google-chrome": "profile of a browser",
    ".config/chromium": "profile of a browser",
    ".ssh": "private key",
    ".gnupg": "private key",
}
_PUBLIC = re.compile(
    r"\.pub$|\.(?:pub|public)\.(?:pem|key|asc)$|^(?:public|known_hosts|authorized_keys)[^/]*$"
)
_CODE = re.compile(r"\.(?:py|pyi|js|ts|tsx|jsx|go|rs|java|rb|cs|c|h|cpp|php|swift|kt|scala|md|rst|html)$")
_COMPILED = tuple(
    (reason, re.compile("|".join(translate(glob) for glob in globs.split()))) for reason, globs in _BY_NAME
)


@lru_cache(maxsize=32_768)
def path_reason(path: str) -> str | None:
    """Why a file is withheld as a whole, by its name; None when its text may be looked at."""
    folded = path.replace("\\", "/").casefold()
    for tail, reason in _BY_FOLDER.items():
        if f"/{tail}/" in f"/{folded}/" and not _PUBLIC.search(folded.rpartition("/")[2]):
            return reason
    name = folded.rpartition("/")[2].rstrip(". ")
    if _PUBLIC.search(name):
        return None
    for reason, regex in _COMPILED:
        if regex.match(name):
            return None if _is_template(name) or (_CODE.search(name) and name != "wp-config.php") else reason
    return None


def _is_template(name: str) -> bool:
    """Whether a name says that the file is there to be copied and filled in: `.env.example`."""
    parts = re.split(r"[._-]", name)
    return any(part in _TEMPLATES for part in parts[1:])
