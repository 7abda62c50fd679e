package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// ranks are all packages, from the top down, named by their directories: each imports those of
// lower ranks alone. A star stands for one name.
var ranks = [][]string{
	{"."},
	{"stream/flags", "stream/estimate", "stream/report"},
	{"stream"},
	{"stream/input"},
	{"stream/output"},
	{"stream/batch"},
	{"stream/lane"},
	{"stream/spend"},
	{"stream/journal"},
	{"stream/flow"},
	{"stream/folder"},
	{"stream/ui"},
	{"ledger/report"},
	{"ledger"},
	{"ledger/index"},
	{"ledger/line"},
	{"ledger/disk/disktest"},
	{"ledger/price", "ledger/disk"},
	{"stream/provider/batchapi"},
	{"stream/provider", "stream/provider/share"},
	{"limiter"},
	{"limiter/lease/leasetest"},
	{"limiter/lease"},
	{"stream/provider/sim", "stream/provider/hint", "stream/provider/key", "stream/provider/socket"},
	{"stream/record/fit"},
	{"stream/record"},
	{"stream/record/attach"},
	{"stream/record/lines", "stream/record/media", "stream/record/mend", "stream/record/usage", "stream/record/schema", "stream/record/turns"},
	{"stream/record/rawjson"},
	{"stream/naming"},
	{"stream/e2e"},
}

// pure are the packages that know nothing of the others: they, and those below their directories,
// import one another alone.
var pure = []string{"stream/record", "limiter", "ledger"}

// homes are the libraries, and the packages that may import them.
var homes = map[string][]string{
	"github.com/alecthomas/kong":     {".", "stream/flags"},
	"github.com/cenkalti/backoff/v4": {"stream/lane"},
	"github.com/go-json-experiment/json": {
		"stream/record", "stream/record/rawjson", "ledger/line",
		"stream/provider/sim", // the other side of every benchmark
	},
	"github.com/klauspost/compress":            {"stream/record/lines", "ledger"},
	"github.com/redis/rueidis":                 {"stream/provider/share"},
	"github.com/santhosh-tekuri/jsonschema/v6": {"stream/record/schema"},
	"github.com/sashabaranov/go-openai":        {"stream/provider"},
	"golang.org/x/sys": {
		"stream", "stream/lane", "stream/output", "stream/provider/socket", "stream/ui", "ledger", "ledger/disk", "ledger/index",
	},
	"golang.org/x/term": {"stream/ui"},
}

// testLibraries are those that tests may import beside the others.
var testLibraries = []string{
	"github.com/alicebob/miniredis/v2", "github.com/rogpeppe/go-internal", "go.uber.org/goleak", "pgregory.net/rapid",
}

// wideComments is how many lines of comments are longer than they should be: those from before
// there was a rule, which only get fewer.
const wideComments = 45

// goFile is a Go file, whichever system it is for. Its name has slashes.
type goFile struct {
	name, dir, source string
	tree              *ast.File
}

// goFiles reads those of the repository.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := filepath.WalkDir(".", func(name string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".go" {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.SkipObjectResolution)
		name = filepath.ToSlash(name)
		files = append(files, goFile{name, path.Dir(name), string(source), file})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func (f goFile) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

// packages are the program's files by directory, without tests.
func packages(t *testing.T) map[string][]goFile {
	t.Helper()
	found := map[string][]goFile{}
	for _, f := range goFiles(t) {
		if !f.isTest() && !within(f.dir, "testdata") {
			found[f.dir] = append(found[f.dir], f)
		}
	}
	return found
}

// imports are the paths that f imports.
func (f goFile) imports() []string {
	var paths []string
	for _, i := range f.tree.Imports {
		paths = append(paths, strings.Trim(i.Path.Value, `"`))
	}
	return paths
}

// isOurs reports whether a package that is imported is one of this module, and its directory.
func isOurs(importPath string) (dir string, ok bool) {
	return path.Clean("./" + strings.TrimPrefix(importPath, "llmpipe")), within(importPath, "llmpipe")
}

func within(name, parent string) bool { return name == parent || strings.HasPrefix(name, parent+"/") }

func isAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// TestLayoutImports holds the ranks, and that they name what is there.
func TestLayoutImports(t *testing.T) {
	all := packages(t)
	for dir, files := range all {
		if rankOf(dir) < 0 {
			t.Errorf("package %s has no place in the layout", dir)
		}
		for _, f := range files {
			for _, importPath := range f.imports() {
				imported, ok := isOurs(importPath)
				switch {
				case !ok:
				case rankOf(imported) <= rankOf(dir):
					t.Errorf("%s imports %s, which does not stand below it", f.name, imported)
				case family(dir) != "" && family(dir) != family(imported):
					t.Errorf("%s imports %s, but its package is to know nothing of the others", f.name, imported)
				}
			}
		}
	}
	dirs := slices.Collect(maps.Keys(all))
	for _, pattern := range slices.Concat(ranks...) {
		if !slices.ContainsFunc(dirs, func(dir string) bool { return isAny([]string{pattern}, dir) }) {
			t.Errorf("package %s is missing", pattern)
		}
	}
}

// rankOf is the place of a package, counted from the top, or -1.
func rankOf(dir string) int {
	return slices.IndexFunc(ranks, func(rank []string) bool { return isAny(rank, dir) })
}

// family is the pure package that a package is or stands in, or nothing.
func family(dir string) string {
	for _, p := range pure {
		if within(dir, p) {
			return p
		}
	}
	return ""
}

// TestLayoutLibraries holds which libraries there are, and where.
func TestLayoutLibraries(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, importPath := range f.imports() {
			if host, _, _ := strings.Cut(importPath, "/"); !strings.Contains(host, ".") {
				continue // the standard library, or ours
			}
			library := libraryOf(importPath)
			switch {
			case library == "":
				t.Errorf("%s imports %s, which is none of our libraries", f.name, importPath)
			case !f.isTest() && !isAny(homes[library], f.dir):
				t.Errorf("%s imports %s, which has its home elsewhere", f.name, importPath)
			}
		}
	}
}

// libraryOf is the library that a package belongs to, or nothing.
func libraryOf(importPath string) string {
	for _, library := range slices.AppendSeq(slices.Clone(testLibraries), maps.Keys(homes)) {
		if within(importPath, library) {
			return library
		}
	}
	return ""
}

// TestLayoutComments holds that every package says what it is.
func TestLayoutComments(t *testing.T) {
	for dir, files := range packages(t) {
		if !slices.ContainsFunc(files, func(f goFile) bool { return f.tree.Doc.Text() != "" }) {
			t.Errorf("package %s has no package comment", dir)
		}
	}
}

// TestLayoutEmbedding holds that nothing which works is embedded in a struct: it would lend the
// struct all of its names, and hide some of the struct's own in silence. Plain data may be
// embedded, and what is not ours.
func TestLayoutEmbedding(t *testing.T) {
	plain := []string{"Flags", "Outcome", "Price", "ProviderFlags", "Record", "Summary", "cached", "usage", "wireFormat"}
	for dir, files := range packages(t) {
		if within(dir, "ledger") || within(dir, "limiter") {
			continue
		}
		for _, f := range files {
			for _, pair := range f.embeddings() {
				if !slices.Contains(plain, pair.inner) {
					t.Errorf("%s: %s embeds %s", f.name, pair.outer, pair.inner)
				}
			}
		}
	}
}

// embedding is a struct and what it embeds, a type of ours, without its package.
type embedding struct{ outer, inner string }

// embeddings are those in f.
func (f goFile) embeddings() (pairs []embedding) {
	outer := ""
	ast.Inspect(f.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			outer = n.Name.Name
		case *ast.StructType:
			for _, field := range n.Fields.List {
				if inner := f.ourType(field.Type); inner != "" && len(field.Names) == 0 {
					pairs = append(pairs, embedding{outer, inner})
				}
			}
		}
		return true
	})
	return pairs
}

// ourType is the name of a type that may be embedded, without its package, if it is one of ours.
func (f goFile) ourType(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return f.ourType(t.X)
	case *ast.IndexExpr:
		return f.ourType(t.X)
	case *ast.IndexListExpr:
		return f.ourType(t.X)
	case *ast.Ident:
		if types.Universe.Lookup(t.Name) == nil {
			return t.Name
		}
	case *ast.SelectorExpr:
		if _, ok := isOurs(f.pathOf(types.ExprString(t.X))); ok {
			return t.Sel.Name
		}
	}
	return ""
}

// pathOf is the import path of the package that f knows by a name.
func (f goFile) pathOf(name string) string {
	for n, importPath := range f.imports() {
		if as := f.tree.Imports[n].Name; as != nil && as.Name == name || as == nil && path.Base(importPath) == name {
			return importPath
		}
	}
	return ""
}

// TestLayoutFiles holds how many files a package has, tests apart, and the simulator, which is a
// program of its own.
func TestLayoutFiles(t *testing.T) {
	const mostFiles = 25
	all := packages(t)
	delete(all, "stream/provider/sim")
	for dir, files := range all {
		if len(files) > mostFiles {
			t.Errorf("%s has %d files, want at most %d", dir, len(files), mostFiles)
		}
	}
}

// TestLayoutNames holds what lies at the top of the repository, and that nothing has a name that
// says nothing.
func TestLayoutNames(t *testing.T) {
	top := []string{
		"main.go", "layout_test.go", "readme_test.go", "stream", "limiter", "ledger", "testdata", "go.mod", "go.sum", "README.md",
	}
	empty := []string{"util", "utils", "common", "types", "helper", "helpers", "internal", "pkg"}
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Skip("not a checkout of git")
	}
	for _, name := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if _, err := os.Stat(name); err != nil {
			continue // removed, and not yet committed
		}
		parts := strings.Split(name, "/")
		if !strings.HasPrefix(parts[0], ".") && !slices.Contains(top, parts[0]) {
			t.Errorf("%s is not part of the layout", parts[0])
		}
		for _, part := range parts {
			if part = strings.TrimSuffix(strings.TrimSuffix(part, ".go"), "_test"); slices.Contains(empty, part) {
				t.Errorf("%s: the name %s says nothing", name, part)
			}
		}
	}
}

// TestLayoutLines holds the length of lines: what is longer is not read to its end.
func TestLayoutLines(t *testing.T) {
	const mostOfCode, mostOfComments = 140, 100
	wide := 0
	for _, f := range goFiles(t) {
		for i, line := range strings.Split(f.source, "\n") {
			n := utf8.RuneCountInString(line)
			if n > mostOfCode {
				t.Errorf("%s:%d has %d characters, want at most %d", f.name, i+1, n, mostOfCode)
			}
			if n > mostOfComments && strings.HasPrefix(strings.TrimLeft(line, "\t"), "//") {
				wide++
			}
		}
	}
	if wide > wideComments {
		t.Errorf("%d lines of comments are longer than %d characters, %d more than there were: wrap the new ones",
			wide, mostOfComments, wide-wideComments)
	}
}
