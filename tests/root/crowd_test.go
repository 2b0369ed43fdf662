//go:build root

package root_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"firn/tests/host"
)

// crowd is how many containers are started, and stopped, at once.
const crowd = 100

// TestCrowd: many containers at once all become ready, are all listed, all end,
// and leave nothing.
func TestCrowd(t *testing.T) {
	host.Watch(t)
	const limit = 3 * time.Minute
	containers := make([]*container, crowd)
	begin := time.Now()
	for i := range containers {
		name := fmt.Sprintf("crowd-%d", i)
		containers[i] = start(t, name, "-q", "-D", t.TempDir(), "--bind-ro=/nix", "--notify-ready=yes", profile(t, name)+"/init")
	}
	for _, c := range containers {
		c.await(limit, "READY=1", func() bool { return c.notify.has("READY=1") })
	}
	t.Logf("%d ready after %v", crowd, time.Since(begin).Round(time.Millisecond))
	if listed := list(t); len(listed) != crowd {
		t.Errorf("firn list shows %d containers, want %d", len(listed), crowd)
	}

	begin = time.Now()
	var stops sync.WaitGroup
	for _, c := range containers {
		stops.Go(func() {
			r, err := execute(command(t, "firn", "stop", c.name, "--timeout", "120s"), limit)
			if err != nil || r.code != 0 {
				t.Errorf("firn stop %s: %v, %v", c.name, err, r)
			}
		})
	}
	stops.Wait()
	for _, c := range containers {
		if code := c.wait(limit); code != 0 {
			t.Errorf("%s: exit code %d, want 0\n%s", c.name, code, c.output)
		}
	}
	t.Logf("%d gone after %v", crowd, time.Since(begin).Round(time.Millisecond))
}
