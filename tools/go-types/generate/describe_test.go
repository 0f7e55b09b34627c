package main

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type word string

type embedded struct {
	Inner bool `json:"inner"`
}

func TestAddFieldsWritesTypesInTheNotation(t *testing.T) {
	type known struct {
		embedded     `json:",inline"`
		Ignored      func()                     `json:"-"`
		Word         word                       `json:"word"`
		Count        *int32                     `json:"count,omitempty"`
		OmitZero     string                     `json:"omitZero,omitempty,omitzero"`
		Index        int                        `json:"index"`
		ZeroMap      map[string]string          `json:"zeroMap,omitzero"`
		Words        []*word                    `json:"words"`
		Map          map[word]resource.Quantity `json:"map"`
		OptionalMap  map[string]*int64          `json:"optionalMap,omitempty"`
		PointerToMap *map[string]string         `json:"pointerToMap,omitempty"`
		Time         *metav1.Time               `json:"time"`
		Struct       metav1.OwnerReference      `json:"struct"`
	}
	types, fields := table{}, map[string]string{}
	if err := types.addFields(reflect.TypeFor[known](), fields); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"inner":        "bool",
		"word":         "string",
		"count":        "*number",
		"omitZero":     "string",
		"index":        "number",
		"zeroMap":      "map[string]string",
		"words":        "[]string",
		"map":          "map[string]quantity",
		"optionalMap":  "map[string]number,omitempty",
		"pointerToMap": "*map[string]string",
		"time":         "*time",
		"struct":       "meta/v1.OwnerReference",
	}
	if !maps.Equal(fields, want) {
		t.Errorf("got %v, want %v", fields, want)
	}
	if len(types) != 1 || types["meta/v1.OwnerReference"]["controller"] != "*bool" {
		t.Errorf("got %v, want OwnerReference alone", types)
	}
}

func TestAddFieldFailsOnWhatItDoesNotKnow(t *testing.T) {
	type unknown struct {
		*embedded   `json:",inline" fails:"has no JSON name"`
		Named       embedded        `json:",inline" fails:"has no JSON name"`
		NoTag       string          `fails:"has no JSON name"`
		Quoted      int64           `json:"quoted,string" fails:"unknown JSON tag options \"string\""`
		Taken       string          `json:"taken" fails:"its JSON name \"taken\" is another field's too"`
		Interface   any             `json:"interface" fails:"of a kind that the notation has no word for"`
		Float       float64         `json:"float" fails:"of a kind that the notation has no word for"`
		Bytes       []byte          `json:"bytes" fails:"of a kind that the notation has no word for"`
		Duration    metav1.Duration `json:"duration" fails:"v1.Duration has its own marshaller"`
		NumberedMap map[int]string  `json:"numberedMap" fails:"has keys that are not strings"`
		TwoPointers **string        `json:"twoPointers" fails:"is a pointer to a pointer"`
		Foreign     embedded        `json:"foreign" fails:"belongs to no known API group"`
	}
	fields := reflect.TypeFor[unknown]()
	for i := range fields.NumField() {
		field := fields.Field(i)
		want := field.Tag.Get("fails")
		err := table{}.addField(field, map[string]string{"taken": "string"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q", field.Name, err, want)
		}
	}
}
