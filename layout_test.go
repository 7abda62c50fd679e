package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// goPackage is what go list says of a package.
type goPackage struct {
	ImportPath string
	Doc        string
	Imports    []string
}

func goList(t *testing.T, pattern string) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", pattern).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// TestImportsRunOneWay holds the layers: each package may import what stands here, of ours and of libraries, and nothing else.
func TestImportsRunOneWay(t *testing.T) {
	allowed := map[string][]string{
		"llmpipe": {
			"llmpipe/stream", "llmpipe/stream/ui", "llmpipe/stream/record", "llmpipe/stream/provider",
			"llmpipe/stream/provider/sim", "llmpipe/limiter", "llmpipe/ledger",
			"github.com/alecthomas/kong",
		},
		"llmpipe/stream": {
			"llmpipe/stream/ui", "llmpipe/stream/record", "llmpipe/stream/provider", "llmpipe/limiter", "llmpipe/ledger",
			"github.com/cenkalti/backoff/v4", "golang.org/x/sys",
		},
		"llmpipe/stream/ui": {"llmpipe/ledger", "golang.org/x/term", "golang.org/x/sys"},
		"llmpipe/stream/provider": {
			"llmpipe/stream/record", "llmpipe/stream/provider/sim", "github.com/sashabaranov/go-openai",
		},
		"llmpipe/stream/provider/sim": {
			"github.com/go-json-experiment/json", // it is the other side of every benchmark
		},
		"llmpipe/stream/record": {"github.com/klauspost/compress", "github.com/go-json-experiment/json"},
		"llmpipe/ledger":        {"github.com/klauspost/compress", "github.com/go-json-experiment/json", "golang.org/x/sys"},
		"llmpipe/limiter":       {},
	}
	for _, p := range goList(t, "./...") {
		allow, ok := allowed[p.ImportPath]
		if !ok {
			t.Errorf("package %s has no place in the layout", p.ImportPath)
		}
		for _, path := range p.Imports {
			standard := !strings.Contains(strings.Split(path, "/")[0], ".") && !strings.HasPrefix(path, "llmpipe")
			within := func(a string) bool {
				return path == a || strings.HasPrefix(path, a+"/") && !strings.HasPrefix(a, "llmpipe")
			}
			if !standard && !slices.ContainsFunc(allow, within) {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
		}
		if p.Doc == "" {
			t.Errorf("package %s has no package comment", p.ImportPath)
		}
		delete(allowed, p.ImportPath)
	}
	for path := range allowed {
		t.Errorf("package %s is gone", path)
	}
}

// TestLineLength holds the length of lines: what is longer is not read to its end.
func TestLineLength(t *testing.T) {
	const most = 140
	err := filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(source), "\n") {
			if n := utf8.RuneCountInString(line); n > most {
				t.Errorf("%s:%d has %d characters, want at most %d", path, i+1, n, most)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTopLevel holds the list of what lies at the top of the repository.
func TestTopLevel(t *testing.T) {
	known := []string{"main.go", "stream", "limiter", "ledger", "testdata", "go.mod", "go.sum", "README.md"}
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Skip("not a checkout of git")
	}
	for _, file := range splitLines(string(out)) {
		top, _, _ := strings.Cut(file, "/")
		if strings.HasPrefix(top, ".") || strings.HasSuffix(top, "_test.go") || slices.Contains(known, top) {
			continue
		}
		if _, err := os.Stat(top); err == nil {
			t.Errorf("%s is not part of the layout", top)
		}
	}
}
