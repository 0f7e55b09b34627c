package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// table holds, by name ("core/v1.Container"), each struct's fields by JSON name, with their types in the notation that
// the generated file explains.
type table map[string]map[string]string

// selfMarshalled are the types whose JSON form is their own business, so that reflection cannot tell it.
var selfMarshalled = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():  "quantity",
	reflect.TypeFor[intstr.IntOrString](): "intOrString",
	reflect.TypeFor[metav1.Time]():        "time",
	reflect.TypeFor[metav1.FieldsV1]():    "opaque",
}

// marshallers are the interfaces by which a type takes its JSON form into its own hands.
var marshallers = []reflect.Type{
	reflect.TypeFor[json.Marshaler](),
	reflect.TypeFor[json.Unmarshaler](),
	reflect.TypeFor[encoding.TextMarshaler](),
	reflect.TypeFor[encoding.TextUnmarshaler](),
}

// packages are the parents of the API groups; a struct is named by what follows.
var packages = []string{
	"github.com/kubeflow/trainer/v2/pkg/apis/",
	"github.com/kubeflow/training-operator/pkg/apis/",
	"k8s.io/api/",
	"k8s.io/apimachinery/pkg/apis/",
	"sigs.k8s.io/jobset/api/",
}

// add puts a struct and all that it reaches into the table and returns its name.
func (types table) add(t reflect.Type) (string, error) {
	name, err := structName(t)
	if err != nil {
		return "", err
	}
	if _, known := types[name]; known {
		return name, nil
	}
	types[name] = map[string]string{}
	return name, types.addFields(t, types[name])
}

// addFields describes the fields of a struct, those of embedded structs among them, as encoding/json sees them.
func (types table) addFields(t reflect.Type, fields map[string]string) error {
	for i := range t.NumField() {
		if err := types.addField(t.Field(i), fields); err != nil {
			return fmt.Errorf("%s.%s: %w", t, t.Field(i).Name, err)
		}
	}
	return nil
}

func (types table) addField(field reflect.StructField, fields map[string]string) error {
	tag := field.Tag.Get("json")
	if tag == "-" {
		return nil
	}
	name, options, _ := strings.Cut(tag, ",")
	omitempty, err := hasOmitempty(options)
	if err != nil {
		return err
	}
	if name == "" && field.Anonymous && field.Type.Kind() == reflect.Struct && !marshalsItself(field.Type) {
		return types.addFields(field.Type, fields)
	}
	if name == "" || !field.IsExported() {
		return fmt.Errorf("has no JSON name")
	}
	if _, taken := fields[name]; taken {
		return fmt.Errorf("its JSON name %q is another field's too", name)
	}
	fields[name], err = types.describe(field.Type)
	if omitempty && field.Type.Kind() == reflect.Map {
		fields[name] += ",omitempty"
	}
	return err
}

func hasOmitempty(options string) (bool, error) {
	switch options {
	case "", "inline", "omitzero": // omitzero leaves out a nil map and writes an empty one
		return false, nil
	case "omitempty", "omitempty,omitzero":
		return true, nil
	}
	return false, fmt.Errorf("unknown JSON tag options %q", options)
}

// describe writes a type in the table's notation. It fails on whatever it does not know rather than guess.
func (types table) describe(t reflect.Type) (string, error) {
	if notation, known := selfMarshalled[t]; known {
		return notation, nil
	}
	if marshalsItself(t) {
		return "", fmt.Errorf("%s has its own marshaller", t)
	}
	switch t.Kind() {
	case reflect.String:
		return "string", nil
	case reflect.Bool:
		return "bool", nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "number", nil
	case reflect.Struct:
		return types.add(t)
	case reflect.Slice:
		return types.describeAfter("[]", entryType(t))
	case reflect.Map:
		if t.Key().Kind() != reflect.String || marshalsItself(t.Key()) {
			return "", fmt.Errorf("%s has keys that are not strings", t)
		}
		return types.describeAfter("map[string]", entryType(t))
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Pointer {
			return "", fmt.Errorf("%s is a pointer to a pointer", t)
		}
		return types.describeAfter("*", t.Elem())
	}
	return "", fmt.Errorf("%s is of a kind that the notation has no word for", t)
}

func (types table) describeAfter(prefix string, t reflect.Type) (string, error) {
	notation, err := types.describe(t)
	return prefix + notation, err
}

// entryType is the type of a list's or map's entries without their pointer: an entry is data, never absent.
func entryType(t reflect.Type) reflect.Type {
	if t.Elem().Kind() == reflect.Pointer {
		return t.Elem().Elem()
	}
	return t.Elem()
}

// marshalsItself says it of a type; a pointer, which has its element's methods, is described by its element.
func marshalsItself(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		return false
	}
	for _, marshaller := range marshallers {
		if t.Implements(marshaller) || reflect.PointerTo(t).Implements(marshaller) {
			return true
		}
	}
	return false
}

func structName(t reflect.Type) (string, error) {
	for _, parent := range packages {
		if group, found := strings.CutPrefix(t.PkgPath(), parent); found && t.Name() != "" {
			return group + "." + t.Name(), nil
		}
	}
	return "", fmt.Errorf("%s (package %q) belongs to no known API group", t, t.PkgPath())
}
