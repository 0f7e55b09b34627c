# The five-field rule. Served by OPA at POST /, which asks for data.system.main (the default decision).
package system

main := {
	"apiVersion": "admission.k8s.io/v1",
	"kind": "AdmissionReview",
	"response": object.union({"uid": input.request.uid, "allowed": allowed}, refusal),
}

free := [
	["metadata", "labels"],
	["metadata", "annotations"],
	["metadata", "managedFields"],
	["metadata", "generation"],
	["metadata", "resourceVersion"],
	["spec", "activeDeadlineSeconds"],
	["spec", "ttlSecondsAfterFinished"],
	["spec", "cleanPodPolicy"],
	["spec", "runPolicy", "activeDeadlineSeconds"],
	["spec", "runPolicy", "ttlSecondsAfterFinished"],
	["spec", "runPolicy", "cleanPodPolicy"],
]

default allowed := false

allowed if count(changed) == 0

# Each place that holds a scalar or an empty container, with what it holds, unless it lies at or below a free one.
leaves(object) := {[path, value] |
	walk(object, [path, value])
	is_leaf(value)
	not is_free(path)
}

is_leaf(value) if not is_container(value)

is_leaf(value) if {
	is_container(value)
	count(value) == 0
}

is_container(value) if is_object(value)

is_container(value) if is_array(value)

is_free(path) if array.slice(path, 0, 2) in free

is_free(path) if array.slice(path, 0, 3) in free

old_leaves := leaves(input.request.oldObject)

new_leaves := leaves(input.request.object)

changed := {path | some [path, _] in (old_leaves - new_leaves) | (new_leaves - old_leaves)}

default refusal := {}

refusal := {"status": {"code": 403, "message": sprintf("only five fields may change, not %v", [changed])}} if not allowed
