{{/*
What the program refuses of a policy and a schema cannot say, as a JSON list: paths and identities so broad that they need a key
of their own. Typing errors in paths and resources are left to the program: a new pod that refuses the policy never becomes
ready, and the old ones go on serving.
*/}}
{{- define "jobguard.policyProblems" -}}
{{- $problems := list }}
{{- with .Values.policy }}
{{- $paths := .allow }}
{{- $usernames := list }}
{{- $groups := list }}
{{- range .resources }}{{ $paths = concat $paths (.allow | default list) }}{{ end }}
{{- range .exemptions }}
{{- $paths = concat $paths .paths }}
{{- $usernames = concat $usernames (.usernames | default list) }}
{{- $groups = concat $groups (.groups | default list) }}
{{- end }}
{{- range .presets }}{{ if kindIs "map" . }}{{ $usernames = concat $usernames .usernames }}{{ end }}{{ end }}
{{- if not .allowBroadPaths }}
{{- range $paths }}{{ if regexMatch "^(/(spec|metadata|[*])(/[*])*)?$" . }}
{{- $problems = append $problems (printf "policy: the path %q lets nearly everything change; if that is meant, set policy.allowBroadPaths" .) }}
{{- end }}{{ end }}
{{- end }}
{{- if not .allowBroadIdentities }}
{{- range $usernames }}{{ if or (eq . "system:anonymous") (include "jobguard.leavesNamespaceOpen" (list . "system:serviceaccount:")) }}
{{- $problems = append $problems (printf "policy: the username %q covers people or namespaces that it does not name; if that is meant, set policy.allowBroadIdentities" .) }}
{{- end }}{{ end }}
{{- $everybody := list "system:authenticated" "system:unauthenticated" "system:serviceaccounts" }}
{{- range $groups }}{{ if or (has . $everybody) (include "jobguard.leavesNamespaceOpen" (list . "system:serviceaccounts:")) }}
{{- $problems = append $problems (printf "policy: the group %q covers people or namespaces that it does not name; if that is meant, set policy.allowBroadIdentities" .) }}
{{- end }}{{ end }}
{{- end }}
{{- end }}
{{- toJson $problems }}
{{- end }}

{{/* "true" where a glob matches what begins with a text and goes on with the name of any namespace; src/policy/identity-rules.ts. */}}
{{- define "jobguard.leavesNamespaceOpen" -}}
{{- $glob := first . }}
{{- $start := last . }}
{{- $fixed := splitList "*" $glob | first }}
{{- $isOpen := or (hasPrefix $fixed $start) (and (hasPrefix $start $fixed) (not (contains ":" (trimPrefix $start $fixed)))) }}
{{- if and $isOpen (contains "*" $glob) (regexMatch "^[-a-z0-9.:*]*$" $glob) }}true{{ end }}
{{- end }}
