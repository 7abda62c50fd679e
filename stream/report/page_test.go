package report

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestReportHTMLWritesWholePages(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	put := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(in(name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("ledger.jsonl", "")
	put("old.html", "<!doctype html>\n<p>an old page")
	put("empty.html", "")
	if err := os.Symlink("old.html", in("link.html")); err != nil {
		t.Skip("no symbolic links here")
	}
	for _, name := range []string{"new.html", "old.html", "empty.html", "link.html"} {
		if err := WriteHTML(nil, nil, in(name), in("ledger.jsonl")); err != nil {
			t.Error(err)
		}
		page, err := os.ReadFile(in(name))
		if err != nil || !strings.HasSuffix(string(page), "</html>\n") {
			t.Errorf("%s is %q, %v", name, page, err)
		}
		info, err := os.Stat(in(name))
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
	}
	if info, err := os.Lstat(in("link.html")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 5 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	var out strings.Builder
	if err := WriteHTML(&out, nil, "-", in("ledger.jsonl")); err != nil || !strings.HasPrefix(out.String(), "<!DOCTYPE html>") {
		t.Errorf("stdout got %q, %v", out.String(), err)
	}
}

func TestReportHTMLRefusals(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	const other = `{"kind":"run","format":1}` + "\n"
	for name, content := range map[string]string{
		"ledger.jsonl": "", "other.jsonl": other, "other.gz": "\x1f\x8b\x08", "damaged.jsonl": "{}\n",
	} {
		if err := os.WriteFile(in(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(in("ledger.jsonl"), in("same.jsonl")); err != nil {
		t.Skip("no hard links here")
	}
	for _, c := range []struct{ page, ledger, want string }{
		{"ledger.jsonl", "ledger.jsonl", "is a ledger"},
		{"same.jsonl", "ledger.jsonl", "is a ledger"},
		{"other.jsonl", "ledger.jsonl", "is not an HTML page"},
		{"other.gz", "ledger.jsonl", "is not an HTML page"},
		{".", "ledger.jsonl", "is a directory"},
		{filepath.Join("none", "page.html"), "ledger.jsonl", "--html: "},
		{"page.html", "none.jsonl", "opening ledger"},
		{"page.html", "damaged.jsonl", "ledger"},
	} {
		err := WriteHTML(nil, nil, in(c.page), in(c.ledger))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %s: %v, want %q", c.page, c.ledger, err, c.want)
		}
	}
	if content, err := os.ReadFile(in("other.jsonl")); err != nil || string(content) != other {
		t.Errorf("the other ledger is %q, %v", content, err)
	}
	if _, err := os.Stat(in("page.html")); err == nil {
		t.Error("a page was written of what cannot be read")
	}
}
