# The five-field rule without saying what changed, which is the least work that OPA can do for it.
package system

main := {
	"apiVersion": "admission.k8s.io/v1",
	"kind": "AdmissionReview",
	"response": object.union({"uid": input.request.uid, "allowed": allowed}, refusal),
}

free := [
	"/metadata/labels",
	"/metadata/annotations",
	"/metadata/managedFields",
	"/metadata/generation",
	"/metadata/resourceVersion",
	"/spec/activeDeadlineSeconds",
	"/spec/ttlSecondsAfterFinished",
	"/spec/cleanPodPolicy",
	"/spec/runPolicy/activeDeadlineSeconds",
	"/spec/runPolicy/ttlSecondsAfterFinished",
	"/spec/runPolicy/cleanPodPolicy",
]

default allowed := false

allowed if json.remove(input.request.oldObject, free) == json.remove(input.request.object, free)

default refusal := {}

refusal := {"status": {"code": 403, "message": "only five fields may change"}} if not allowed
