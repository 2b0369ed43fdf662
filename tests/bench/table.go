package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// printTable prints the samples of one question, each with its ratio of medians
// to the first.
func printTable(w io.Writer, title string, samples []sample) {
	_, _ = fmt.Fprintf(w, "\n%s (%d runs)\n", title, len(samples[0].start))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(t, "  \tstart ms min\tmedian\tratio\t")
	stops := len(samples[0].stop) > 0
	if stops {
		_, _ = fmt.Fprint(t, "stop ms min\tmedian\tratio\tsupervisor PSS kB\tRSS kB\tratio\t")
	}
	_, _ = fmt.Fprintln(t)
	for _, s := range samples {
		_, _ = fmt.Fprintf(t, "  %s\t%s", s.peer, cells(s.start, samples[0].start))
		if stops {
			_, _ = fmt.Fprintf(t, "%s%.0f\t%.0f\t%.2f\t", cells(s.stop, samples[0].stop),
				median(s.pss), median(s.resident), median(s.pss)/median(samples[0].pss))
		}
		_, _ = fmt.Fprintln(t)
	}
	_ = t.Flush() // a terminal that is gone
}

// cells prints minimum, median, and the median's ratio to that of base.
func cells(values, base []float64) string {
	return fmt.Sprintf("%.1f\t%.1f\t%.2f\t", slices.Min(values), median(values), median(values)/median(base))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
