{{/* root → mistakes in the section. */}}
{{- define "spark-base.standalone.validate" -}}
{{- with .Values.standalone -}}
{{- if and .enabled .masterUrl }}
standalone.enabled starts a master, but standalone.masterUrl names another: keep one of them
{{- end }}
{{- if and .enabled $.Values.connect.enabled (eq $.Values.connect.backendMode "standalone") }}
{{- include "spark-base.standalone.validateFit" $ }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* root → executors that no worker could hold: an application would wait for them without end. */}}
{{- define "spark-base.standalone.validateFit" -}}
{{- $executor := .Values.executor -}}
{{- $worker := .Values.standalone.worker -}}
{{- if gt (int $executor.cores) (int $worker.cores) }}
executor.cores is {{ $executor.cores }}, but a worker has {{ $worker.cores }}: set standalone.worker.cores
{{- end }}
{{- if gt (include "spark-base.standalone.mebibytes" $executor.memory | int) (include "spark-base.standalone.mebibytes" $worker.memory | int) }}
executor.memory is {{ $executor.memory }}, but a worker has {{ $worker.memory }}: set standalone.worker.memory
{{- end }}
{{- end -}}

{{/* a size as the JVM writes it, such as 512m or 2g → its MiB. */}}
{{- define "spark-base.standalone.mebibytes" -}}
{{- $text := lower (toString .) -}}
{{- $number := regexFind "^[0-9]+" $text | int -}}
{{- $unit := regexFind "[kgt]" $text -}}
{{- if eq $unit "t" -}}{{ mul $number 1048576 }}
{{- else if eq $unit "g" -}}{{ mul $number 1024 }}
{{- else if eq $unit "k" -}}{{ div $number 1024 }}
{{- else -}}{{ $number }}
{{- end -}}
{{- end -}}
