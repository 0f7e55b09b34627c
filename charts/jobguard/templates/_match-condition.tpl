{{/*
The CEL expression that is true for every update that the policy may refuse or warn of: the same text as the program's, for
src/policy/match-condition.ts, where its parts are explained. A test holds the two equal.
*/}}
{{- define "jobguard.mayBeRefused" -}}
{{- $conditions := list }}
{{- range .Values.policy.resources }}
{{- $conditions = append $conditions (include "jobguard.resourceCondition" (dict "policy" $.Values.policy "of" .)) }}
{{- end -}}
has(request.subResource) && request.subResource != '' || {{ if eq (len (uniq $conditions)) 1 }}{{ first $conditions }}
{{- else }}(
{{- range $index, $resource := .Values.policy.resources -}}
request.resource.group == '{{ .group }}' && request.resource.resource == '{{ .resource }}' ? {{ index $conditions $index }} : {{ end }}true)
{{- end }}
{{- end }}

{{- define "jobguard.resourceCondition" -}}
{{- $plain := list }}
{{- range concat .policy.allow (.of.allow | default list) | uniq }}
{{- if include "jobguard.isPlain" . }}{{ $plain = append $plain . }}{{ end }}
{{- end }}
{{- $paths := list }}
{{- range $path := $plain }}
{{- $isBelowAnother := false }}
{{- range $plain }}{{ if hasPrefix (printf "%s/" .) $path }}{{ $isBelowAnother = true }}{{ end }}{{ end }}
{{- if not $isBelowAnother }}{{ $paths = append $paths $path }}{{ end }}
{{- end }}
{{- $parents := list }}
{{- range $path := prepend $paths "/metadata/" }}
{{- $above := "" }}
{{- range $path | trimPrefix "/" | splitList "/" | initial }}
{{- $above = printf "%s/%s" $above . }}
{{- if not (has $above $paths) }}{{ $parents = append $parents $above }}{{ end }}
{{- end }}
{{- end }}
{{- $kinds := list "tfjobs" "pytorchjobs" "mpijobs" "xgboostjobs" "paddlejobs" "jaxjobs" }}
{{- $walk := dict
  "paths" $paths
  "parents" (uniq $parents)
  "hasRunPolicy" (and (eq .of.group "kubeflow.org") (has .of.resource $kinds))
  "mayChangeOwnership" (include "jobguard.mayChangeOwnership" .policy)
-}}
!({{ include "jobguard.unchangedBelow" (dict "parent" "" "walk" $walk) }})
{{- end }}

{{- define "jobguard.unchangedBelow" -}}
{{- $inner := list }}
{{- $leaves := list }}
{{- range .walk.parents }}{{ if eq (include "jobguard.parentOf" .) $.parent }}{{ $inner = append $inner . }}{{ end }}{{ end }}
{{- range .walk.paths }}{{ if eq (include "jobguard.parentOf" .) $.parent }}{{ $leaves = append $leaves . }}{{ end }}{{ end }}
{{- $keys := list }}
{{- range concat $inner $leaves }}{{ $keys = append $keys (include "jobguard.unescaped" (splitList "/" . | last)) }}{{ end }}
{{- include "jobguard.sameKeys" (merge (dict "keys" $keys) .) }}
{{- range $leaves }}{{ include "jobguard.harmlessValue" . }}{{ end }}
{{- range $inner }}
{{- $at := include "jobguard.at" . }}
&& (object{{ $at }} == oldObject{{ $at }} || {{ include "jobguard.unchangedBelow" (dict "parent" . "walk" $.walk) }})
{{- end }}
{{- end }}

{{- define "jobguard.sameKeys" -}}
{{- $isRunPolicy := and (eq .parent "/spec/runPolicy") .walk.hasRunPolicy }}
{{- $at := include "jobguard.at" .parent }}
{{- $path := $at | replace "[?" "[" }}
{{- $typed := ternary "" (printf "%s.orValue(null)" $at) (eq .parent "") }}
{{- $mayCome := "" }}
{{- $mayGo := "" }}
{{- if $isRunPolicy }}
{{- $path = printf "%s.orValue({})" $at }}
{{- $typed = $path }}
{{- $mayCome = printf " || (k == 'suspend' && !(k in oldObject%s) && object%s[k] == false)" $path $path }}
{{- $mayGo = printf " || (k == 'suspend' && oldObject%s[k] == false)" $path }}
{{- end }}
{{- $covered := printf "k in %s" (include "jobguard.celList" .keys) }}
{{- if eq .parent "/metadata" }}
{{- $serverOwned := list "managedFields" "generation" "resourceVersion" "selfLink" "uid" "creationTimestamp" "deletionTimestamp" "deletionGracePeriodSeconds" }}
{{- $covered = printf "k in %s || (k in ['finalizers', 'ownerReferences'] && %s)" (include "jobguard.celList" (concat .keys $serverOwned)) .walk.mayChangeOwnership }}
{{- end -}}
type(object{{ $typed }}) == map && size(object{{ $path }}) < 1000
&& type(oldObject{{ $typed }}) == map && size(oldObject{{ $path }}) < 1000
&& object{{ $path }}.all(k, {{ $covered }} || (k in oldObject{{ $path }} && object{{ $path }}[k] == oldObject{{ $path }}[k]){{ $mayCome }})
&& oldObject{{ $path }}.all(k, {{ $covered }} || k in object{{ $path }}{{ $mayGo }})
{{- end }}

{{- define "jobguard.harmlessValue" -}}
{{- $at := include "jobguard.at" . }}
{{- $value := printf "object%s" ($at | replace "[?" "[") }}
{{- $harmless := "" }}
{{- if regexMatch "^/spec(/runPolicy)?/cleanPodPolicy$" . }}{{ $harmless = printf "%s in ['', 'None', 'Running', 'All']" $value }}{{ end }}
{{- if regexMatch "^/spec(/runPolicy)?/(activeDeadlineSeconds|ttlSecondsAfterFinished)$" . }}{{ $harmless = printf "type(%s) == int && %s >= 0" $value $value }}{{ end }}
{{- with $harmless }}
&& (object{{ $at }} == oldObject{{ $at }} || !object{{ $at }}.hasValue() || {{ $value }} == null || {{ . }})
{{- end }}
{{- end }}

{{/* Whether the condition can cover a path; about changes of any other the API server asks. */}}
{{- define "jobguard.isPlain" -}}
{{- if and (regexMatch "^(/[A-Za-z0-9_.~-]+)+$" .) (not (has . (list "/spec" "/spec/runPolicy"))) }}true{{ end }}
{{- end }}

{{/* The policy's own names, or the preset's: src/policy/presets.ts. */}}
{{- define "jobguard.mayChangeOwnership" -}}
{{- $presets := .presets | default dict }}
{{- $setting := ternary (get $presets "garbageCollector") true (hasKey $presets "garbageCollector") }}
{{- $usernames := list "system:serviceaccount:kube-system:generic-garbage-collector" "system:kube-controller-manager" }}
{{- if kindIs "map" $setting }}{{ $usernames = $setting.usernames }}{{ else if not $setting }}{{ $usernames = list }}{{ end }}
{{- $plain := list }}
{{- range $usernames }}{{ if regexMatch "^[A-Za-z0-9_.:@/-]+$" . }}{{ $plain = append $plain . }}{{ end }}{{ end }}
{{- $isTerminating := "type(oldObject['metadata'][?'deletionTimestamp'].orValue(null)) == string" }}
{{- if $plain }}({{ $isTerminating }} || request.userInfo.username in {{ include "jobguard.celList" $plain }}){{ else }}{{ $isTerminating }}{{ end }}
{{- end }}

{{/* What follows `object` where the optional value at a path is meant. */}}
{{- define "jobguard.at" -}}
{{- range splitList "/" . | rest }}[?'{{ include "jobguard.unescaped" . }}']{{ end }}
{{- end }}

{{- define "jobguard.parentOf" -}}
{{- splitList "/" . | initial | join "/" }}
{{- end }}

{{- define "jobguard.unescaped" -}}
{{- . | replace "~1" "/" | replace "~0" "~" }}
{{- end }}

{{- define "jobguard.celList" -}}
[{{ range $index, $text := . }}{{ if $index }}, {{ end }}'{{ $text }}'{{ end }}]
{{- end }}
