// Command oracle records what RE2 does with the texts that we emit.
//
// Go's regexp reads RE2's syntax and prefers the leftmost way, as Envoy's
// substitutions do. Run in this directory, it rewrites ../re2-oracle.jsonl: for each
// pattern the paths of ../paths.jsonl that its match text matches as a whole, with
// what the groups of its rewrite text took. A path is encoded first, as a client
// sends it, and what the groups took is decoded again.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

type record struct {
	Pattern string              `json:"pattern"`
	Match   string              `json:"match"`
	Rewrite string              `json:"rewrite"`
	Matches map[string][]string `json:"matches"`
}

func main() {
	log.SetFlags(0)
	var paths []string
	for _, line := range lines("../paths.jsonl") {
		var path string
		decode(line, &path)
		paths = append(paths, path)
	}
	var out bytes.Buffer
	failed := false
	for _, line := range lines("../re2-oracle.jsonl") {
		var r record
		decode(line, &r)
		if err := r.fill(paths); err != nil {
			log.Printf("%s: %v", r.Pattern, err)
			failed = true
		}
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(r); err != nil {
			log.Fatal(err)
		}
	}
	if failed {
		os.Exit(1)
	}
	if err := os.WriteFile("../re2-oracle.jsonl", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

func (r *record) fill(paths []string) error {
	r.Matches = map[string][]string{}
	whole, err := regexp.Compile("^(?:" + r.Match + ")$")
	if err != nil {
		return err
	}
	// The text must also stand by itself.
	if _, err := regexp.Compile(r.Match); err != nil {
		return err
	}
	rewrite, err := regexp.Compile(r.Rewrite)
	if err != nil {
		return err
	}
	for _, path := range paths {
		sent := encode(path)
		if !whole.MatchString(sent) {
			continue
		}
		all := rewrite.FindAllStringSubmatch(sent, -1)
		if len(all) != 1 || all[0][0] != sent {
			return fmt.Errorf("the rewrite text consumes %q in %d parts: %q", sent, len(all), all)
		}
		groups := []string{}
		for _, group := range all[0][1:] {
			groups = append(groups, show(unescape(group)))
		}
		for len(groups) > 0 && groups[len(groups)-1] == "" {
			groups = groups[:len(groups)-1]
		}
		r.Matches[path] = groups
	}
	return nil
}

// encode writes a decoded path as clients and Envoy's normalisation do.
func encode(path string) string {
	var out strings.Builder
	for _, b := range []byte(path) {
		if b <= ' ' || b >= 0x7f || strings.IndexByte("%#?\\\"<>^`{|}", b) >= 0 {
			fmt.Fprintf(&out, "%%%02X", b)
		} else {
			out.WriteByte(b)
		}
	}
	return out.String()
}

func unescape(text string) string {
	var out []byte
	for i := 0; i < len(text); i++ {
		var b byte
		if i+3 <= len(text) && text[i] == '%' {
			if _, err := fmt.Sscanf(text[i+1:i+3], "%02X", &b); err == nil {
				out = append(out, b)
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return string(out)
}

// show writes bytes that are no text as \xC3.
func show(text string) string {
	var out strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&out, "\\x%02x", text[0])
		} else {
			out.WriteString(text[:size])
		}
		text = text[size:]
	}
	return out.String()
}

func lines(name string) []string {
	file, err := os.Open(name)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	var all []string
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<24)
	for scanner.Scan() {
		all = append(all, scanner.Text())
	}
	if err := scanner.Err(); err != nil {
		log.Fatal(err)
	}
	return all
}

func decode(line string, value any) {
	if err := json.Unmarshal([]byte(line), value); err != nil {
		log.Fatalf("%s: %v", line, err)
	}
}
