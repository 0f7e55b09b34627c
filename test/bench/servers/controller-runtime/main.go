// Command controller-runtime is the five-field rule as one writes it in Go: a validator of the operator's own type,
// scaffolded as kubebuilder does it, which takes the free fields over and compares the rest.
//
//	controller-runtime PORT CERT_DIR
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"strconv"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

type validator struct{}

func (validator) ValidateCreate(context.Context, *kubeflow.TFJob) (admission.Warnings, error) {
	return nil, nil
}

func (validator) ValidateDelete(context.Context, *kubeflow.TFJob) (admission.Warnings, error) {
	return nil, nil
}

func (validator) ValidateUpdate(_ context.Context, stored, requested *kubeflow.TFJob) (admission.Warnings, error) {
	requested.Labels = stored.Labels
	requested.Annotations = stored.Annotations
	requested.ManagedFields = stored.ManagedFields
	requested.Generation = stored.Generation
	requested.ResourceVersion = stored.ResourceVersion
	requested.Spec.RunPolicy.ActiveDeadlineSeconds = stored.Spec.RunPolicy.ActiveDeadlineSeconds
	requested.Spec.RunPolicy.TTLSecondsAfterFinished = stored.Spec.RunPolicy.TTLSecondsAfterFinished
	requested.Spec.RunPolicy.CleanPodPolicy = stored.Spec.RunPolicy.CleanPodPolicy
	if equality.Semantic.DeepEqual(stored, requested) {
		return nil, nil
	}
	return nil, errors.New("only five fields may change")
}

func main() {
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func serve(port, certDir string) error {
	ctrl.SetLogger(zap.New())
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := kubeflow.AddToScheme(scheme); err != nil {
		return err
	}
	server := webhook.NewServer(webhook.Options{Host: "127.0.0.1", Port: number, CertDir: certDir})
	server.Register("/validate", admission.WithValidator(scheme, validator{}))
	return server.Start(ctrl.SetupSignalHandler())
}
