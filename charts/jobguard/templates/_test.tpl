{{/* The first guarded resource of which `helm test` can write a job: {resource, kind, replicaSpecs, container}, or nothing. */}}
{{- define "jobguard.testedResource" -}}
{{- $known := dict
  "tfjobs" (dict "kind" "TFJob" "replicaSpecs" "tfReplicaSpecs" "container" "tensorflow")
  "pytorchjobs" (dict "kind" "PyTorchJob" "replicaSpecs" "pytorchReplicaSpecs" "container" "pytorch")
}}
{{- $found := dict }}
{{- range .Values.policy.resources }}
{{- if and (not $found) (eq .group "kubeflow.org") (hasKey $known .resource) }}
{{- $found = merge (dict "resource" .resource) (get $known .resource) }}
{{- end }}
{{- end }}
{{- with $found }}{{ toYaml . }}{{ end }}
{{- end }}

{{/*
What the test does, for files/forbidden-update.mjs. Nothing ever runs: the job is suspended, and no node has its label, for
operators that know no suspension. The change is forbidden twice over, since policies differ in what they allow. Its cleanPodPolicy
is one that the operator misreads: jobguard warns of it in mode audit too, which is the only sign of it that a client can see there.
*/}}
{{- define "jobguard.testPlan" -}}
{{- $of := include "jobguard.testedResource" . | fromYaml }}
{{- $namespace := include "jobguard.namespace" . }}
{{- $podSpec := dict
  "nodeSelector" (dict "jobguard.dev/no-such-node" "true")
  "containers" (list (dict "name" $of.container "image" (include "jobguard.image" .)))
}}
{{- $worker := dict "replicas" 1 "restartPolicy" "Never" "template" (dict "spec" $podSpec) }}
{{- $job := dict
  "apiVersion" "kubeflow.org/v1"
  "kind" $of.kind
  "metadata" (dict "generateName" (printf "%s-test-" (include "jobguard.fullname" .)) "namespace" $namespace)
  "spec" (dict "runPolicy" (dict "suspend" true) $of.replicaSpecs (dict "Worker" $worker))
}}
{{- $forbiddenPatch := dict
  "metadata" (dict "finalizers" (list "jobguard.dev/helm-test"))
  "spec" (dict
    "cleanPodPolicy" "jobguard-test"
    "runPolicy" (dict "cleanPodPolicy" "jobguard-test")
    $of.replicaSpecs (dict "Worker" (dict "replicas" 2))
  )
}}
{{- dict
  "jobs" (printf "/apis/kubeflow.org/v1/namespaces/%s/%s" $namespace $of.resource)
  "job" $job
  "forbiddenPatch" $forbiddenPatch
  "patienceSeconds" 30
  "webhook" "jobs.jobguard.dev"
  "policy" (dict "mode" (.Values.policy.mode | default "enforce") "namespaceModes" (.Values.policy.namespaceModes | default list))
  | toPrettyJson }}
{{- end }}

{{- define "jobguard.testMetadata" -}}
name: {{ include "jobguard.fullname" . }}-test
namespace: {{ include "jobguard.namespace" . }}
labels:
  {{- /* Another component: the Service, the NetworkPolicy and the budget are not for the test's pod. */}}
  {{- toYaml (merge (dict "app.kubernetes.io/component" "test") (include "jobguard.labels" . | fromYaml)) | nindent 2 }}
annotations:
  helm.sh/hook: test
  # A hook is no part of the release: without these it would outlive it.
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
