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

{{/* "true" where everybody may change labels and annotations in every resource, so that nobody need be asked about them. */}}
{{- define "jobguard.mayChangeLabelsAndAnnotations" -}}
{{- if and (has "/metadata/labels" .Values.policy.allow) (has "/metadata/annotations" .Values.policy.allow) }}true{{ end }}
{{- end }}

{{/*
Whether more than labels and annotations changes. `object` is untyped here, so that `all` walks every key of it, unknown ones
too. Each term holds for any object: an error would refuse the update.
*/}}
{{- define "jobguard.changesMoreThanLabelsAndAnnotations" -}}
!(object.all(k, k == 'metadata' || (k in oldObject && object[k] == oldObject[k]))
  && oldObject.all(k, k in object)
  && object.metadata.all(k, k in ['labels', 'annotations', 'managedFields', 'generation', 'resourceVersion']
    || (k in oldObject.metadata && object.metadata[k] == oldObject.metadata[k]))
  && oldObject.metadata.all(k, k in ['labels', 'annotations', 'managedFields', 'generation', 'resourceVersion']
    || k in object.metadata))
{{- end }}

{{- define "jobguard.matchConditions" -}}
{{- if include "jobguard.mayChangeLabelsAndAnnotations" . }}
- name: changes-more-than-labels-and-annotations
  expression: |-
    {{- include "jobguard.changesMoreThanLabelsAndAnnotations" . | nindent 4 }}
{{- end }}
{{- with .Values.webhook.matchConditions }}
{{ toYaml . }}
{{- end }}
{{- end }}
