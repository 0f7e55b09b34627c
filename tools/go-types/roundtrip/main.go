// Command roundtrip reads jobs through the operator's Go types and writes them back, as a typed client does when it
// gets an object and puts it: what differs afterwards is what those types cannot tell apart. It has the serializer of
// client-go, and so of controller-runtime's typed client. From the project's root:
//
//	go run -C tools/go-types ./roundtrip TFJob < job.json
//	go run -C tools/go-types ./roundtrip --lines TFJob < jobs.jsonl
//
// With --lines it answers each line of the input with one line, until the input ends. A job may leave out its kind.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
)

func main() {
	log.SetFlags(0)
	lines := flag.Bool("lines", false, "one job a line, in and out")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: roundtrip [--lines] KIND")
	}
	if err := roundTrip(flag.Arg(0), *lines, os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func roundTrip(kind string, lines bool, in io.Reader, out io.Writer) error {
	convert, err := converter(kind)
	if err != nil {
		return err
	}
	if !lines {
		job, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		return convert(job, out)
	}
	reader := bufio.NewReader(in)
	for number := 1; ; number++ {
		job, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(job) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err := convert(job, out); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
}

// converter returns the round trip of one job of the kind; what it writes is one line.
func converter(kind string) (func(job []byte, out io.Writer) error, error) {
	scheme := runtime.NewScheme()
	if err := kubeflow.AddToScheme(scheme); err != nil {
		return nil, err
	}
	jobKind := kubeflow.GroupVersion.WithKind(kind)
	serializer := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{})
	return func(job []byte, out io.Writer) error {
		typed, found, err := serializer.Decode(job, &jobKind, nil)
		if err != nil {
			return err
		}
		if *found != jobKind {
			return fmt.Errorf("a %s was expected, not a %s", jobKind, found)
		}
		return serializer.Encode(typed, out)
	}, nil
}
