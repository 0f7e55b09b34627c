{{/* Words a name that was cut would share with another are kept apart by a hash. 48 leaves room for the longest suffix, "-generated-tls". */}}
{{- define "jobguard.shortened" -}}
{{- if le (len .) 48 }}{{ . }}{{ else }}{{ printf "%s-%s" (trunc 39 . | trimSuffix "-") (sha256sum . | trunc 8) }}{{ end }}
{{- end }}

{{- define "jobguard.name" -}}
{{ include "jobguard.shortened" (.Values.nameOverride | default .Chart.Name) }}
{{- end }}

{{- define "jobguard.fullname" -}}
{{- $name := include "jobguard.name" . }}
{{- $combined := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- include "jobguard.shortened" (.Values.fullnameOverride | default $combined | replace "." "-") }}
{{- end }}

{{- define "jobguard.namespace" -}}
{{ .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{/* Cluster-scoped objects of two releases must not collide. A dot is in neither part, so that the name is unambiguous. */}}
{{- define "jobguard.clusterScopedName" -}}
{{ include "jobguard.fullname" . }}.{{ include "jobguard.namespace" . }}
{{- end }}

{{- define "jobguard.serviceAccountName" -}}
{{ .Values.serviceAccount.name | default (ternary (include "jobguard.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "jobguard.image" -}}
{{- with .Values.image.registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* A Deployment's selector can never change: nothing but what names the release belongs here. */}}
{{- define "jobguard.selectorLabels" -}}
app.kubernetes.io/component: webhook
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/name: {{ include "jobguard.name" . }}
{{- end }}

{{- define "jobguard.labels" -}}
{{- $own := dict
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/version" .Chart.AppVersion
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63)
}}
{{- toYaml (merge (include "jobguard.selectorLabels" . | fromYaml) $own .Values.commonLabels) }}
{{- end }}

{{- define "jobguard.podLabels" -}}
{{- toYaml (merge (include "jobguard.selectorLabels" . | fromYaml) .Values.podLabels .Values.commonLabels) }}
{{- end }}

{{- define "jobguard.metadata" -}}
name: {{ include "jobguard.fullname" . }}
namespace: {{ include "jobguard.namespace" . }}
labels:
  {{- include "jobguard.labels" . | nindent 2 }}
{{- end }}
