"""Values that the schema refuses, and what each Helm says of them.

A mistake is named by its kind; what Helm 3 and Helm 4 write for a kind, word by word, stands in ``WORDS``. Both give
every mistake of a run a line of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.values.document import Json

# Kind → what Helm 3 and Helm 4 say of the value at a path.
WORDS = {
    "unknown": ("Additional property {0} is not allowed", "additional properties '{0}' not allowed"),
    "choice": ("{path} must be one of the following: {quoted}", "value must be one of {plain}"),
    "form": ("Does not match pattern '{0}'", "'{value}' does not match pattern '{0}'"),
    "type": ("Invalid type. Expected: {0}, given: {1}", "got {1}, want {0}"),
    "number": ("Invalid type. Expected: integer, given: number", "got number, want integer"),
    "text": ("Invalid type. Expected: string, given: integer", "got number, want string"),
    "least": ("Must be greater than or equal to {0}", "minimum: got {value}, want {0}"),
    "most": ("Must be less than or equal to {0}", "maximum: got {value}, want {0}"),
    "port": ("Must be less than or equal to 65535", "maximum: got 70,000, want 65,535"),
    "above": ("Must be greater than {0}", "exclusiveMinimum: got {value}, want {0}"),
    "length": ("String length must be greater than or equal to {0}", "minLength: got 0, want {0}"),
    "room": ("String length must be less than or equal to {0}", "maxLength: got {1}, want {0}"),
    "missing": ("{0} is required", "missing property '{0}'"),
    "empty": ("Must have at least {0} properties", "minProperties: got 0, want {0}"),
    "full": ("Must have at most {0} properties", "maxProperties: got {1}, want {0}"),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """One mistake: where (keys with ``/`` between), which value, and what is wrong with it."""

    path: str
    value: Json
    kind: str
    details: tuple[str, ...] = ()

    @property
    def values(self) -> Mapping[str, Json]:
        """The values that hold the mistake and nothing else."""
        made: Json = {self.details[0]: self.value} if self.kind == "unknown" else self.value
        for key in reversed(self.path.split("/") if self.path else ()):
            made = [made] if key.isdigit() else {key: made}
        assert isinstance(made, dict)
        return made

    def line(self, major: str) -> str:
        """What Helm of that major version writes."""
        path = self.path.replace("/", ".")
        words = WORDS[self.kind][major == "4"].format(
            *(_escape(detail) if major == "4" else detail for detail in self.details),
            path=path,
            value=_escape(str(self.value)),
            quoted=", ".join(f'"{detail}"' for detail in self.details),
            plain=", ".join(f"'{detail}'" for detail in self.details),
        )
        return f"at '{'/' * bool(path)}{self.path}': {words}" if major == "4" else f"{path or '(root)'}: {words}"


def make_batches(mistakes: Sequence[Refused]) -> list[list[Refused]]:
    """The mistakes in few sets whose values can be laid over each other: Helm names all of a set in one run."""
    batches: list[list[Refused]] = []
    for mistake in mistakes:
        free = [batch for batch in batches if not any(_touches(mistake.path, other.path) for other in batch)]
        if not free:
            free = [[]]
            batches += free
        free[0].append(mistake)
    return batches


def _touches(one: str, other: str) -> bool:
    """True where a value at one path would be in the way of one at the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _escape(text: str) -> str:
    """The text as Helm 4 quotes it."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


DIGEST = r"^(sha256:[a-f0-9]{64})?$"
TAG = r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$"
REPOSITORY = r"^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$"
REGISTRY = r"^([A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._-]*)*)?$"
MEMORY = r"^[1-9][0-9]*[kmgtKMGT]$"
DURATION = r"^[1-9][0-9]*(ms|s|m|min|h|d)$"
QUANTITY = r"^[0-9]+(\.[0-9]+)?([eE][0-9]+|[mkMGTPE]|[KMGTPE]i)?$"
STORAGE = r"^[1-9][0-9]*(\.[0-9]+)?([kMGTP]|[KMGTP]i)$"
NAME = r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$"
HOST = r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+)?$"
LABEL = r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$"

SPARK = (
    # A key that nobody reads: misspelt, of another chart, of the reference charts.
    Refused("", {}, "unknown", ("sparkconf",)),
    Refused("", {}, "unknown", ("core",)),
    Refused("", {}, "unknown", ("tags",)),
    Refused("connect", 1, "unknown", ("replica",)),
    Refused("executor", "1g", "unknown", ("memroy",)),
    Refused("global/s3", "x", "unknown", ("accessKey",)),
    Refused("global/s3", "x", "unknown", ("secretKey",)),
    Refused("image", "x", "unknown", ("name",)),
    Refused("connect/resources", {}, "unknown", ("request",)),
    Refused("connect/startupProbe", {}, "unknown", ("tcpSocket",)),
    Refused("connect/scheduling", {}, "unknown", ("nodeselector",)),
    Refused("features/iceberg", "hive", "unknown", ("catalogType",)),
    Refused("features/gpu", {}, "unknown", ("rapids",)),
    Refused("ingress/hosts", "a.example", "unknown", ("airflow",)),
    Refused("spark-base", {}, "unknown", ("image",)),
    # Choices.
    Refused("connect/backendMode", "bogus", "choice", ("k8s", "standalone", "local")),
    Refused("connect/service/type", "ExternalName", "choice", ("ClusterIP", "NodePort", "LoadBalancer")),
    Refused("connect/service/sessionAffinity", "Cookie", "choice", ("ClientIP", "None")),
    Refused("connect/strategy/type", "OnDelete", "choice", ("RollingUpdate", "Recreate")),
    Refused("image/pullPolicy", "Sometimes", "choice", ("IfNotPresent", "Always", "Never")),
    Refused("security/mode", "privileged", "choice", ("restricted", "openshift", "custom")),
    Refused("features/iceberg/catalog/type", "glue", "choice", ("hadoop", "hive", "rest")),
    Refused("features/celeborn/writer", "rss", "choice", ("hash", "sort")),
    Refused("features/openTelemetry/protocol", "thrift", "choice", ("grpc", "http/protobuf")),
    Refused("routes/tls/termination", "none", "choice", ("edge", "passthrough", "reencrypt")),
    Refused("routes/tls/insecureEdgeTerminationPolicy", "Drop", "choice", ("None", "Allow", "Redirect")),
    # Forms.
    Refused("image/digest", "sha256:1", "form", (DIGEST,)),
    Refused("gpuImage/digest", "SHA256:" + "a" * 64, "form", (DIGEST,)),
    Refused("jupyter/image/digest", "latest", "form", (DIGEST,)),
    Refused("image/tag", "a:b", "form", (TAG,)),
    Refused("image/tag", "4.1.1@sha256:1", "form", (TAG,)),
    Refused("image/repository", "", "form", (REPOSITORY,)),
    Refused("image/repository", "Org/Spark", "form", (REPOSITORY,)),
    Refused("image/registry", "https://docker.io", "form", (REGISTRY,)),
    Refused("global/imageRegistry", "mirror.example/", "form", (REGISTRY,)),
    Refused("global/s3/endpoint", "minio:9000", "form", (r"^(https?://[^\s/]+/?)?$",)),
    Refused("global/s3/existingSecret", "My_Secret", "form", (NAME,)),
    Refused("sparkVersion", "4.1", "form", (r"^[0-9]+\.[0-9]+\.[0-9]+$",)),
    Refused("connect/memory", "1 GB", "form", (MEMORY,)),
    Refused("connect/memory", "2Gi", "form", (MEMORY,)),
    Refused("executor/limitCores", "two", "form", (r"^([0-9]+(\.[0-9]+)?m?)?$",)),
    Refused("executor/dynamicAllocation/executorIdleTimeout", "60", "form", (DURATION,)),
    Refused("historyServer/cleaner/maxAge", "1w", "form", (DURATION,)),
    Refused("connect/resources/limits/memory", "4 GiB", "form", (QUANTITY,)),
    Refused("jupyter/persistence/size", "10", "form", (STORAGE,)),
    Refused(
        "standalone/masterUrl", "k8s://master", "form", (r"^(spark://[^\s,]+:[0-9]{1,5}(,[^\s,]+:[0-9]{1,5})*)?$",)
    ),
    Refused("jupyter/remote", "spark://server:7077", "form", (r"^(sc://\S+)?$",)),
    Refused(
        "hiveMetastore/externalUri",
        "metastore:9083",
        "form",
        (r"^(thrift://[^\s,]+:[0-9]{1,5}(,thrift://[^\s,]+:[0-9]{1,5})*)?$",),
    ),
    Refused("features/iceberg/catalog/uri", "metastore:9083", "form", (r"^((https?|thrift)://\S+)?$",)),
    Refused("features/iceberg/catalog/name", "my catalog", "form", (r"^[A-Za-z_][A-Za-z0-9_]*$",)),
    Refused(
        "features/celeborn/masters/0", "master", "form", (r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?:[0-9]{1,5}$",)
    ),
    Refused("ingress/hosts/history", "history", "form", (HOST,)),
    Refused("routes/hosts/jupyter", "Jupyter.example.com", "form", (HOST,)),
    Refused("monitoring/serviceMonitor/interval", "30", "form", (r"^([0-9]+(ms|s|m|h))+$",)),
    Refused("commonLabels/team", "a b", "form", (LABEL,)),
    Refused("podDisruptionBudget/maxUnavailable", "half", "form", (r"^(100|[1-9]?[0-9])%$",)),
    Refused("sparkConf/spark.x", "a\nspark.y=b", "form", (r"^[^\r\n]*$",)),
    # Types, bounds and lengths.
    Refused("image/tag", 4.1, "type", ("string", "number")),
    Refused("connect/enabled", "yes", "type", ("boolean", "string")),
    Refused("connect/replicas", 1.5, "number"),
    Refused("features/celeborn/masters", "a:1", "type", ("array", "string")),
    Refused("sparkConf", [], "type", ("object", "array")),
    Refused("serviceAccount/annotations/role", 1, "text"),
    Refused("extraObjects", {}, "type", ("array", "object")),
    Refused("connect/replicas", 0, "least", ("1",)),
    Refused("standalone/worker/replicas", 0, "least", ("1",)),
    Refused("executor/cores", 0, "least", ("1",)),
    Refused("executor/dynamicAllocation/minExecutors", -1, "least", ("0",)),
    Refused("features/gpu/count", 0, "least", ("1",)),
    Refused("features/gpu/taskAmount", 0, "above", ("0",)),
    Refused("features/gpu/taskAmount", 2, "most", ("1",)),
    Refused("features/openTelemetry/samplingRatio", 10, "most", ("1",)),
    Refused("connect/service/grpcPort", 0, "least", ("1",)),
    Refused("historyServer/service/port", 70000, "port"),
    Refused("hiveMetastore/database/user", "", "length", ("1",)),
    Refused("commonLabels/team", "x" * 64, "room", ("63", "64")),
    Refused("extraEnv/0", {"value": "x"}, "missing", ("name",)),
    Refused("extraVolumes/0", {"emptyDir": {}}, "missing", ("name",)),
    Refused("image/pullSecrets/0", {}, "missing", ("name",)),
)

INFRA = (
    Refused("", {}, "unknown", ("minio",)),
    Refused("s3", "x", "unknown", ("accessKey",)),
    Refused("postgresql", "x", "unknown", ("password",)),
    Refused("buckets/items/0", {"prefixes": []}, "missing", ("name",)),
    Refused("s3/service/type", "ExternalName", "choice", ("ClusterIP", "NodePort", "LoadBalancer")),
    Refused("security/mode", "root", "choice", ("restricted", "openshift", "custom")),
    Refused("global/s3/endpoint", "store:7070", "form", (r"^(https?://[^\s/]+/?)?$",)),
    Refused("s3/persistence/size", "20", "form", (STORAGE,)),
    Refused("postgresql/image/digest", "latest", "form", (DIGEST,)),
    Refused("buckets/items/0/name", "Raw_Data", "form", (r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",)),
    Refused("postgresql/host", "a b", "form", (r"^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)?$",)),
    Refused("postgresql/user", "", "length", ("1",)),
    Refused("postgresql/service/port", 0, "least", ("1",)),
    Refused("databases/items", {}, "type", ("array", "object")),
)

REFUSED = {"spark-4.1": SPARK, "spark-infra": INFRA}
"""Chart → what its schema refuses."""
