package container

import (
	"strings"
	"testing"

	"firn/shim/internal/config"
)

func TestUniqueName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "web.example", strings.Repeat("x", 64), strings.Repeat("x", 46) + ".yy"} {
		one, other := uniqueName(name), uniqueName(name)
		if err := config.CheckMachineName(one); err != nil || one == other || !strings.HasPrefix(one, name[:1]) {
			t.Errorf("uniqueName(%q) = %q, then %q: %v", name, one, other, err)
		}
	}
}
