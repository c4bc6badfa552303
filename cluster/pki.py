"""Keys, certificates, tokens and kubeconfigs of the local cluster, made once per state folder with openssl."""

import base64
import json
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster.layout import API_URL, KUBECONFIG, NODE, NODE_IP, PKI, SERVICE_IP, STATE
from cluster.terminal import run

DAYS = 3650
_NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"


@dataclass(frozen=True)
class Account:
    """One who talks to the API server with a token of its own."""

    name: str
    user: str
    group: str = ""

    @property
    def kubeconfig(self) -> Path:
        """Its kubeconfig; the admin's is for people and stands at the top of the state folder."""
        return KUBECONFIG if self.name == "admin" else STATE / "kubeconfig" / self.name


ACCOUNTS = (
    Account("admin", "admin", "system:masters"),
    Account("kubelet", f"system:node:{NODE}", "system:nodes"),
    Account("controller-manager", "system:kube-controller-manager"),
    Account("scheduler", "system:kube-scheduler"),
    Account("proxy", "system:kube-proxy"),
    Account("local-path", "local-path-provisioner", "system:masters"),
)
_API_NAMES = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
]


def ensure() -> None:
    """Makes everything that is missing. The folder appears whole or not at all, so a killed run leaves no half."""
    if not PKI.exists():
        draft = PKI.with_name("pki.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        _make(draft)
        draft.rename(PKI)
    (STATE / "kubeconfig").mkdir(mode=0o700, exist_ok=True)
    for account in ACCOUNTS:
        _write_secret(account.kubeconfig, kubeconfig(account))


def _make(folder: Path) -> None:
    usage = "-addext keyUsage=critical,keyCertSign,cRLSign"  # Python 3.13 refuses an authority that does not say so
    subject = f"-subj /CN=trimtab-local-ca -days {DAYS} {usage}"
    _openssl(folder, f"req -x509 {_NEW_KEY} -keyout ca.key -out ca.crt {subject}")
    names = [f"IP:{NODE_IP}", f"IP:{SERVICE_IP}", "IP:127.0.0.1", *(f"DNS:{name}" for name in _API_NAMES)]
    _issue(folder, "apiserver", "/CN=kube-apiserver", ",".join(names))
    _issue(folder, "kubelet", f"/O=system:nodes/CN=system:node:{NODE}", f"IP:{NODE_IP},DNS:{NODE}")
    _issue(folder, "kubelet-client", "/O=system:masters/CN=apiserver-kubelet-client", "")
    _openssl(folder, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out sa.key")
    _openssl(folder, "pkey -in sa.key -pubout -out sa.pub")
    lines = [f'{secrets.token_hex(16)},{a.user},{a.name},"{a.group}"' for a in ACCOUNTS]
    _write_secret(folder / "tokens.csv", "\n".join(lines) + "\n")
    keys = {"accessKeyId": secrets.token_hex(10), "secretAccessKey": secrets.token_hex(20)}
    _write_secret(folder / "s3.json", json.dumps(keys))


def _issue(folder: Path, name: str, subject: str, alternatives: str) -> None:
    """A key and a certificate of the cluster's own authority."""
    extra = "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n"
    extra += "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    extra += f"subjectAltName={alternatives}\n" if alternatives else ""
    (folder / "extensions").write_text(extra)
    _openssl(folder, f"req {_NEW_KEY} -keyout {name}.key -out request -subj {subject}")
    signer = "-CA ca.crt -CAkey ca.key -CAcreateserial"
    _openssl(folder, f"x509 -req -in request {signer} -days {DAYS} -extfile extensions -out {name}.crt")


def _openssl(folder: Path, words: str) -> None:
    run(["openssl", *words.split()], cwd=folder)


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def token(name: str = "admin") -> str:
    """The bearer token of an account."""
    for line in (PKI / "tokens.csv").read_text().splitlines():
        value, _, uid, _ = line.split(",")
        if uid == name:
            return value
    raise KeyError(name)


def kubeconfig(account: Account) -> str:
    """A kubeconfig that holds everything itself, so that it works from any folder. JSON is YAML."""
    authority = base64.b64encode((PKI / "ca.crt").read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "trimtab", "cluster": {"server": API_URL, "certificate-authority-data": authority}}],
        "users": [{"name": account.name, "user": {"token": token(account.name)}}],
        "contexts": [{"name": "trimtab", "context": {"cluster": "trimtab", "user": account.name}}],
        "current-context": "trimtab",
    }
    return json.dumps(config, indent=2) + "\n"


def s3_credentials() -> dict[str, str]:
    """Access key and secret of the S3 server."""
    keys: dict[str, str] = json.loads((PKI / "s3.json").read_text())
    return keys
