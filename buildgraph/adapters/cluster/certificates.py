"""Who is who in the cluster: one authority, and a certificate for each program, made by openssl."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.adapters.cluster.places import CONFIGURATION, NODE
from buildgraph.adapters.cluster.texts import API_PORT, DOMAIN, SERVICE_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS = "365"
CONFIG = "[req]\ndistinguished_name = name\n[name]\n"
"""Without a section of extensions: openssl's own file would add some of its own."""
AUTHORITY = "ca"
SERVICE_ACCOUNTS = "service-accounts"
"""The key that signs pods' tokens; it needs no certificate."""
ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """``subject`` as openssl writes it; ``names`` are those that it serves under; without any it is a client's."""

    name: str
    subject: str
    names: tuple[str, ...] = ()


CLIENTS = (
    Certificate(name=ADMIN, subject="/O=system:masters/CN=admin"),
    Certificate(name="controllers", subject="/CN=system:kube-controller-manager"),
    Certificate(name="scheduler", subject="/CN=system:kube-scheduler"),
    Certificate(name="kubelet", subject=f"/O=system:nodes/CN=system:node:{NODE}"),
    Certificate(name="proxy", subject="/CN=system:kube-proxy"),
    Certificate(name="policies", subject="/CN=system:network-policies"),
)
"""Each has a kubeconfig of its name."""
APISERVER_AS_CLIENT = Certificate(name="apiserver-client", subject="/O=system:masters/CN=kube-apiserver")


def list_certificates(address: str) -> tuple[Certificate, ...]:
    """All that the authority signs for a node at this address."""
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{DOMAIN}")
    names = (*(f"DNS:{name}" for name in ("localhost", *service)), f"IP:{address}", f"IP:{SERVICE_ADDRESS}")
    return (
        *CLIENTS,
        APISERVER_AS_CLIENT,
        Certificate(name="apiserver", subject="/CN=kube-apiserver", names=names),
        Certificate(
            name="kubelet-server",
            subject=f"/O=system:nodes/CN=system:node:{NODE}",
            names=(f"DNS:{NODE}", f"IP:{address}"),
        ),
    )


def path_of(name: str, suffix: str) -> str:
    """Where the node sees a key (``key``) or a certificate (``crt``)."""
    return f"{CONFIGURATION}/{name}.{suffix}"


def authority_command() -> list[str]:
    """What makes the authority's key and certificate."""
    return [
        *_request(AUTHORITY, "/CN=buildgraph cluster"),
        *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    ]


def command(certificate: Certificate) -> list[str]:
    """What makes a certificate and its key."""
    usage = "serverAuth" if certificate.names else "clientAuth"
    names = ["-addext", f"subjectAltName={','.join(certificate.names)}"] if certificate.names else []
    return [
        *_request(certificate.name, certificate.subject),
        *("-CA", path_of(AUTHORITY, "crt"), "-CAkey", path_of(AUTHORITY, "key")),
        *("-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature"),
        *("-addext", f"extendedKeyUsage={usage}"),
        *names,
    ]


def token_key_commands() -> tuple[list[str], list[str]]:
    """What makes the key of pods' tokens, and the public half that they are checked with."""
    key, public = path_of(SERVICE_ACCOUNTS, "key"), path_of(SERVICE_ACCOUNTS, "pub")
    curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    return ["openssl", "genpkey", *curve, "-out", key], ["openssl", "pkey", "-in", key, "-pubout", "-out", public]


def make_kubeconfig(address: str, pems: Mapping[str, bytes]) -> str:
    """A client's file. ``pems``: ``authority``, ``certificate`` and ``key``."""
    held = {name: base64.b64encode(data).decode() for name, data in pems.items()}
    cluster = {"server": f"https://{address}:{API_PORT}", "certificate-authority-data": held["authority"]}
    user = {"client-certificate-data": held["certificate"], "client-key-data": held["key"]}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NODE, "cluster": cluster}],
        "users": [{"name": NODE, "user": user}],
        "contexts": [{"name": NODE, "context": {"cluster": NODE, "user": NODE}}],
        "current-context": NODE,
    }
    return json.dumps(document, indent=1)


def _request(name: str, subject: str) -> list[str]:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
    files = ("-keyout", path_of(name, "key"), "-out", path_of(name, "crt"))
    return [
        "openssl",
        "req",
        "-config",
        path_of("openssl", "cnf"),
        "-x509",
        *curve,
        *files,
        "-subj",
        subject,
        "-days",
        DAYS,
    ]
