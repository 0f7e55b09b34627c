{{/* The label `job` that the pods' metrics get: prometheus-operator takes the Service's name, or PodMonitor and namespace. */}}
{{- define "jobguard.metricsJob" -}}
{{- $own := include "jobguard.fullname" . }}
{{- if .Values.metrics.podMonitor.enabled }}{{ $own = printf "%s/%s" (include "jobguard.namespace" .) $own }}{{ end }}
{{- .Values.metrics.prometheusRule.job | default $own }}
{{- end }}

{{/* The name under which the API server calls, quotes and counts the webhook. */}}
{{- define "jobguard.webhookName" -}}
jobs.jobguard.dev
{{- end }}

{{/* The pods' memory limit in bytes, 0 where they have none. Suffixes: k8s.io/apimachinery pkg/api/resource/suffix.go. */}}
{{- define "jobguard.memoryLimitBytes" -}}
{{- $quantity := toString (dig "limits" "memory" 0 (.Values.resources | default dict)) }}
{{- $suffix := regexFind "[A-Za-z]*$" $quantity }}
{{- $factors := dict "" 1 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 }}
{{- mulf (trimSuffix $suffix $quantity) (get $factors $suffix) | int64 }}
{{- end }}
