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
