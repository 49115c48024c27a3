{{/* Shuffles through a Celeborn cluster, by a client jar among the extra jars. https://celeborn.apache.org/docs/latest/deploy/ */}}

{{/* root → settings. Executors then hold no shuffle data, so neither a shuffle service nor a wait for them is needed. */}}
{{- define "spark-base.features.celeborn.conf" -}}
{{- with .Values.features.celeborn -}}
{{- if .enabled -}}
spark.shuffle.manager: org.apache.spark.shuffle.celeborn.SparkShuffleManager
spark.shuffle.sort.io.plugin.class: org.apache.spark.shuffle.celeborn.CelebornShuffleDataIO
spark.shuffle.service.enabled: "false"
spark.dynamicAllocation.shuffleTracking.enabled: "false"
spark.storage.decommission.shuffleBlocks.enabled: "false"
# Java's own serializer cannot move records, which this manager does.
spark.serializer: org.apache.spark.serializer.KryoSerializer
spark.sql.adaptive.localShuffleReader.enabled: "false"
spark.celeborn.master.endpoints: {{ join "," .masters | quote }}
spark.celeborn.client.push.replicate.enabled: {{ .replicate | quote }}
spark.celeborn.client.spark.shuffle.writer: {{ .writer | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spark-base.features.celeborn.validate" -}}
{{- $oldest := (include "spark-base.facts" . | fromYaml).celebornClient -}}
{{- with .Values.features.celeborn -}}
{{- if .enabled -}}
{{- if not .masters }}
features.celeborn.masters is empty: name the masters, such as celeborn-master-0.celeborn-master-svc:9097
{{- end }}
{{- if not $.Values.extraJars.volume }}
features.celeborn needs its client, which no image has: name a volume with the jar in extraJars.volume
{{- end }}
{{- if not .clientVersion }}
features.celeborn.clientVersion is empty: name the version of the client jar; Spark {{ $.Values.sparkVersion }} needs {{ $oldest }} or newer
{{- else if not (semverCompare (printf ">=%s-0" $oldest) .clientVersion) }}
features.celeborn.clientVersion is {{ .clientVersion }}: Spark {{ $.Values.sparkVersion }} needs {{ $oldest }} or newer
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
