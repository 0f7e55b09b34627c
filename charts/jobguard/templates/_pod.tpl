{{/* What the pods of the Deployment and the pod of `helm test` have in common, so that one is admitted where the other is. */}}
{{- define "jobguard.podCommon" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
enableServiceLinks: false
{{- if not .Values.hostUsers }}
hostUsers: false
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "jobguard.containerCommon" -}}
image: {{ include "jobguard.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Changes when the pods must be replaced: the policy is read at start. */}}
{{- define "jobguard.podAnnotations" -}}
{{- $own := dict "checksum/policy" (toYaml .Values.policy | sha256sum) }}
{{- if eq .Values.tls.mode "helm" }}
{{- $_ := set $own "checksum/tls" (get (include "jobguard.generatedCertificate" . | fromYaml) "tls.crt" | sha256sum) }}
{{- end }}
{{- toYaml (merge $own .Values.podAnnotations) }}
{{- end }}

{{- define "jobguard.topologySpreadConstraints" -}}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "jobguard.selectorLabels" . | fromYaml)) }}
{{- range .Values.topologySpreadConstraints }}
- {{ toYaml (ternary . (merge (dict) $own .) (hasKey . "labelSelector")) | nindent 2 | trim }}
{{- end }}
{{- end }}

{{- define "jobguard.minReplicas" -}}
{{ int (ternary .Values.autoscaling.minReplicas .Values.replicaCount .Values.autoscaling.enabled) }}
{{- end }}
