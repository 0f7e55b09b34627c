{{/* What values.schema.json cannot say: values that do not go together. All of them are listed at once. */}}
{{- define "jobguard.check" -}}
{{- $problems := list }}
{{- if and .Values.hostNetwork (eq (int .Values.webhook.port) 10250) }}
{{- $problems = append $problems "webhook.port: with hostNetwork 10250 is the kubelet's; choose another port, such as 10260" }}
{{- end }}
{{- if eq (int .Values.webhook.port) (int .Values.metrics.port) }}
{{- $problems = append $problems "metrics.port: must differ from webhook.port" }}
{{- end }}
{{- if and (eq .Values.tls.mode "existingSecret") (not .Values.tls.existingSecret.name) }}
{{- $problems = append $problems "tls.existingSecret.name: required when tls.mode is existingSecret" }}
{{- end }}
{{- /* The API server takes such a bundle, and then fails every call. */}}
{{- if contains "-----END CERTIFICATE----------BEGIN" .Values.tls.existingSecret.caBundle }}
{{- $problems = append $problems "tls.existingSecret.caBundle: two certificates on one line; begin each on a line of its own" }}
{{- end }}
{{- with .Values.tls.clientCa }}
{{- if and .configMap .secret }}
{{- $problems = append $problems "tls.clientCa: has both a configMap and a secret; choose one" }}
{{- end }}
{{- if and .allowedNames (not .configMap) (not .secret) }}
{{- $problems = append $problems "tls.clientCa.allowedNames: without a configMap or a secret nobody is asked for a name" }}
{{- end }}
{{- end }}
{{- if and .Values.webhook.url (ne .Values.tls.mode "existingSecret") }}
{{- $problems = append $problems "webhook.url: needs a certificate for its host; set tls.mode to existingSecret" }}
{{- end }}
{{- if gt (int .Values.shutdown.delaySeconds) (int .Values.shutdown.timeoutSeconds) }}
{{- $problems = append $problems "shutdown.timeoutSeconds: shorter than shutdown.delaySeconds, which it includes" }}
{{- end }}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) }}
{{- $problems = append $problems "autoscaling.maxReplicas: less than autoscaling.minReplicas" }}
{{- end }}
{{- if and .Values.metrics.podMonitor.enabled .Values.metrics.serviceMonitor.enabled }}
{{- $problems = append $problems "metrics: with both podMonitor and serviceMonitor every pod would be scraped twice; enable one" }}
{{- end }}
{{- $problems = concat $problems (include "jobguard.policyProblems" . | fromJsonArray) }}
{{- with $problems }}{{ fail (join "\n" . | printf "\n%s") }}{{ end }}
{{- end }}
