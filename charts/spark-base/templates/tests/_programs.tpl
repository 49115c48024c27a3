{{/* What each component is asked; what is not as it should be ends the program. Each: root → Python. */}}

{{- define "spark-base.tests.connect" -}}
from pyspark.sql import SparkSession

url = {{ include "spark-base.connect.url" . | quote }}
spark = SparkSession.builder.remote(url).getOrCreate()
total = spark.range(1000).selectExpr("sum(id) AS total").first().total
assert total == 499500, total
assert spark.version == {{ .Values.sparkVersion | quote }}, spark.version
print(f"{url}: Spark {spark.version} answers")
{{- end -}}

{{- define "spark-base.tests.history" -}}
{{- $address := include "spark-base.tests.address" (dict "root" . "component" "history" "port" .Values.historyServer.service.port) -}}
{{ include "spark-base.tests.ask" . }}

answer = ask("http://{{ $address }}/api/v1/version")
assert answer == {"spark": {{ .Values.sparkVersion | quote }}}, answer
{{- end -}}

{{- define "spark-base.tests.jupyter" -}}
{{- $address := include "spark-base.tests.address" (dict "root" . "component" "jupyter" "port" .Values.jupyter.service.port) -}}
{{ include "spark-base.tests.ask" . }}

answer = ask("http://{{ $address }}/api")
assert answer["version"], answer
{{- end -}}

{{- define "spark-base.tests.master" -}}
{{- $address := include "spark-base.tests.address" (dict "root" . "component" "master" "port" .Values.standalone.master.service.uiPort) -}}
{{ include "spark-base.tests.ask" . }}

answer = ask("http://{{ $address }}/json/")
assert answer["status"] == "ALIVE", answer
assert answer["aliveworkers"] > 0, answer
{{- end -}}

{{- define "spark-base.tests.metastore" -}}
import socket

with socket.create_connection(({{ include "spark-base.componentName" (dict "root" . "component" "metastore") | quote }}, 9083), timeout=30):
    print("the metastore takes connections")
{{- end -}}

{{/* A function of the programs above. */}}
{{- define "spark-base.tests.ask" -}}
import json
from urllib.request import urlopen


def ask(url):
    with urlopen(url, timeout=30) as answer:
        text = answer.read().decode()
    print(f"{url}: {text}")
    return json.loads(text)
{{- end -}}
