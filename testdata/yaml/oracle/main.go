// Prints how kubectl reads each file of a directory, one JSON line for a file.
//
// It drives the decoder that kubectl's resource builder drives, and goes on after an error,
// which kubectl does not do, so that every document has a reading.
//
//	go run . .. > ../oracle.jsonl
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

type reading struct {
	JSON  json.RawMessage `json:"json,omitempty"`
	Error string          `json:"error,omitempty"`
}

type line struct {
	File      string    `json:"file"`
	Documents []reading `json:"documents"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: oracle DIRECTORY")
		os.Exit(2)
	}
	names, err := filepath.Glob(filepath.Join(os.Args[1], "*.yaml"))
	if err != nil {
		fail(err)
	}
	sort.Strings(names)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			fail(err)
		}
		if err := out.Encode(line{filepath.Base(name), read(text)}); err != nil {
			fail(err)
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func read(text []byte) []reading {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	documents := []reading{}
	last := ""
	for {
		var object runtime.RawExtension
		err := decoder.Decode(&object)
		switch {
		case errors.Is(err, io.EOF):
			return documents
		case err != nil && err.Error() == last:
			// A broken JSON stream gives the same error for ever.
			return documents
		case err != nil:
			last = err.Error()
			documents = append(documents, reading{Error: last})
		default:
			last = ""
			raw := bytes.TrimSpace(object.Raw)
			if len(raw) != 0 && !bytes.Equal(raw, []byte("null")) {
				documents = append(documents, reading{JSON: normal(raw)})
			}
		}
	}
}

// normal rewrites JSON so that escapes and double keys are settled as Go settles them.
func normal(raw []byte) json.RawMessage {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		fail(err)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		fail(err)
	}
	return out.Bytes()
}
