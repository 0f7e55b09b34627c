// Command match-condition evaluates a condition of a webhook with the API server's own library, as the API server does:
//
//	match-condition KUBERNETES-VERSION EXPRESSION-FILE < reviews.jsonl
//
// It compiles the expression in the environment of that version, such as 1.30. For each AdmissionReview, one a line, it
// answers with one line: `asked COST`, `not asked COST`, `error: …`, or `numbers` where an API server cannot hold a number exactly, or
// holds a whole number past 2^53 as a double, which CEL takes for any integer of the same rounded value.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"strconv"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
)

// A job of 1.5 MiB, twice, and its envelope.
const maxLineBytes = 16 << 20

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: match-condition KUBERNETES-VERSION EXPRESSION-FILE < reviews.jsonl")
	}
	condition, err := compile(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if err := run(condition, os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(condition celplugin.ConditionEvaluator, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLineBytes)
	answers := bufio.NewWriter(out)
	for lines.Scan() {
		if _, err := fmt.Fprintln(answers, evaluate(condition, lines.Bytes())); err != nil {
			return err
		}
	}
	return errors.Join(lines.Err(), answers.Flush())
}

func compile(kubernetesVersion, expressionFile string) (celplugin.ConditionEvaluator, error) {
	parsed, err := version.ParseMajorMinor(kubernetesVersion)
	if err != nil {
		return nil, err
	}
	expression, err := os.ReadFile(expressionFile)
	if err != nil {
		return nil, err
	}
	compiler := celplugin.NewConditionCompiler(environment.MustBaseEnvSet(parsed))
	accessor := &matchconditions.MatchCondition{Name: "may-be-refused", Expression: string(expression)}
	options := celplugin.OptionalVariableDeclarations{HasAuthorizer: true}
	condition := compiler.CompileCondition([]celplugin.ExpressionAccessor{accessor}, options, environment.NewExpressions)
	return condition, errors.Join(condition.CompilationErrors()...)
}

func evaluate(condition celplugin.ConditionEvaluator, line []byte) string {
	attributes, err := parse(line)
	if errors.Is(err, errNumbers) {
		return "numbers"
	}
	if err != nil {
		return "error: " + err.Error()
	}
	request := celplugin.CreateAdmissionRequest(attributes.Attributes,
		metav1.GroupVersionResource(attributes.GetResource()), metav1.GroupVersionKind(attributes.VersionedKind))
	budget := int64(celconfig.RuntimeCELCostBudgetMatchConditions)
	results, remaining, err := condition.ForInput(context.Background(), attributes, request,
		celplugin.OptionalVariableBindings{}, nil, budget)
	if err == nil {
		err = results[0].Error
	}
	if err != nil {
		return "error: " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	if results[0].EvalResult.Value() == true {
		return fmt.Sprintf("asked %d", budget-remaining)
	}
	return fmt.Sprintf("not asked %d", budget-remaining)
}

func parse(line []byte) (*admission.VersionedAttributes, error) {
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(line, &review); err != nil {
		return nil, err
	}
	request := review.Request
	object, err := decode(request.Object.Raw)
	if err != nil {
		return nil, err
	}
	oldObject, err := decode(request.OldObject.Raw)
	if err != nil {
		return nil, err
	}
	kind, resource := schema.GroupVersionKind(request.Kind), schema.GroupVersionResource(request.Resource)
	writer := &user.DefaultInfo{Name: request.UserInfo.Username, Groups: request.UserInfo.Groups}
	return &admission.VersionedAttributes{
		Attributes: admission.NewAttributesRecord(object, oldObject, kind, request.Namespace, request.Name, resource,
			request.SubResource, admission.Operation(request.Operation), nil, false, writer),
		VersionedObject:    admission.NewLazyObject(object),
		VersionedOldObject: admission.NewLazyObject(oldObject),
		VersionedKind:      kind,
	}, nil
}

func decode(raw []byte) (*unstructured.Unstructured, error) {
	if !holdsNumbers(raw) {
		return nil, errNumbers
	}
	var object map[string]any
	err := utiljson.Unmarshal(raw, &object)
	return &unstructured.Unstructured{Object: object}, err
}

var errNumbers = errors.New("numbers that an API server does not hold as they are")

func holdsNumbers(raw []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return true
		}
		if number, ok := token.(json.Number); ok && !holds(string(number)) {
			return false
		}
	}
}

// A float64 holds any 15 digits, and from 2^53 up no longer every whole number.
func holds(number string) bool {
	if _, err := strconv.ParseInt(number, 10, 64); err == nil {
		return true
	}
	value, err := strconv.ParseFloat(number, 64)
	mantissa, _, _ := strings.Cut(strings.ToLower(number), "e")
	digits := strings.Trim(strings.ReplaceAll(strings.TrimPrefix(mantissa, "-"), ".", ""), "0")
	return err == nil && math.Abs(value) < 1<<53 && len(digits) <= 15 && (value != 0 || digits == "")
}
