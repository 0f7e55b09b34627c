{{/*
One rule an API group. UPDATE alone: creation is free, and a refused deletion would hold up whole namespaces. /scale of every
resource: without it `kubectl scale` would bypass the guard. The program refuses it where the policy gives no scaleReplicasPath.
*/}}
{{- define "jobguard.rules" -}}
{{- $resourcesByGroup := dict }}
{{- range .Values.policy.resources }}
{{- $resources := get $resourcesByGroup .group | default list }}
{{- $_ := set $resourcesByGroup .group (concat $resources (list .resource (printf "%s/scale" .resource))) }}
{{- end }}
{{- range $group, $resources := $resourcesByGroup }}
- apiGroups: [{{ $group | quote }}]
  apiVersions: ["*"]
  operations: [UPDATE]
  resources:
    {{- toYaml $resources | nindent 4 }}
  scope: "*"
{{- end }}
{{- end }}

{{/* What the user selects, without the namespaces that the user excludes. */}}
{{- define "jobguard.namespaceSelector" -}}
{{- $selector := .Values.webhook.namespaceSelector }}
{{- with .Values.webhook.excludedNamespaces }}
{{- $excluded := dict "key" "kubernetes.io/metadata.name" "operator" "NotIn" "values" . }}
{{- $selector = merge (dict "matchExpressions" (append ($selector.matchExpressions | default list) $excluded)) $selector }}
{{- end }}
{{- with $selector }}{{ toYaml . }}{{ end }}
{{- end }}

{{- define "jobguard.matchConditions" -}}
- name: may-be-refused
  expression: |-
    {{- include "jobguard.mayBeRefused" . | nindent 4 }}
{{- with .Values.webhook.matchConditions }}
{{ toYaml . }}
{{- end }}
{{- end }}
