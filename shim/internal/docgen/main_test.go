package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The pages in man/ are those that the tables give now.
func TestPagesAreCurrent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		want, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("../../../man", filepath.Base(page)))
		if err != nil || string(got) != string(want) {
			t.Errorf("man/%s is not what the tables say (%v): run go run ./shim/internal/docgen man", filepath.Base(page), err)
		}
	}
}
