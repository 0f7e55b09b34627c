{{- define "jobguard.tlsSecretName" -}}
{{- if eq .Values.tls.mode "existingSecret" }}{{ .Values.tls.existingSecret.name }}
{{- else if eq .Values.tls.mode "certManager" }}{{ include "jobguard.fullname" . }}-tls
{{- else if eq .Values.tls.mode "selfManaged" }}{{ include "jobguard.fullname" . }}-certificates
{{- else }}{{ include "jobguard.fullname" . }}-generated-tls
{{- end }}
{{- end }}

{{/* "true" where the API server's client certificate is asked for. */}}
{{- define "jobguard.asksForClientCertificate" -}}
{{- if or .Values.tls.clientCa.configMap .Values.tls.clientCa.secret }}true{{ end }}
{{- end }}

{{/* The last is the one that the API server calls. */}}
{{- define "jobguard.dnsNames" -}}
{{- $service := include "jobguard.fullname" . }}
{{- $namespace := include "jobguard.namespace" . }}
- {{ $service }}
- {{ $service }}.{{ $namespace }}
- {{ $service }}.{{ $namespace }}.svc
{{- end }}

{{/*
The data of the Secret in mode helm: the stored one where there is one, so that an upgrade keeps it. A new one is made once a
render and kept beside the values, since the Secret, the caBundle and the checksum must tell of the same.
*/}}
{{- define "jobguard.generatedCertificate" -}}
{{- if not (hasKey . "GeneratedCertificate") }}
{{- $stored := dig "data" dict (lookup "v1" "Secret" (include "jobguard.namespace" .) (include "jobguard.tlsSecretName" .)) }}
{{- if not (and (hasKey $stored "ca.crt") (hasKey $stored "tls.crt") (hasKey $stored "tls.key")) }}
{{- $name := include "jobguard.fullname" . }}
{{- $dnsNames := include "jobguard.dnsNames" . | fromYamlArray }}
{{- $ca := genCAWithKey (printf "%s-ca" $name) 3650 (genPrivateKey "ecdsa") }}
{{- $pair := genSignedCertWithKey $name nil $dnsNames 3650 $ca (genPrivateKey "ecdsa") }}
{{- $stored = dict "ca.crt" ($ca.Cert | b64enc) "tls.crt" ($pair.Cert | b64enc) "tls.key" ($pair.Key | b64enc) }}
{{- end }}
{{- $_ := set . "GeneratedCertificate" (pick $stored "ca.crt" "tls.crt" "tls.key") }}
{{- end }}
{{- toYaml .GeneratedCertificate }}
{{- end }}

{{/* Empty where another program fills the caBundle in: an empty one would fight with it. */}}
{{- define "jobguard.caBundle" -}}
{{- if eq .Values.tls.mode "helm" }}{{ get (include "jobguard.generatedCertificate" . | fromYaml) "ca.crt" }}
{{- else if eq .Values.tls.mode "existingSecret" }}{{ .Values.tls.existingSecret.caBundle | b64enc }}
{{- end }}
{{- end }}
