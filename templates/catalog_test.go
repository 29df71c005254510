package templates

import "testing"

func TestCatalogParses(t *testing.T) {
	if len(All()) != 4 {
		t.Fatalf("%d templates", len(All()))
	}
}
