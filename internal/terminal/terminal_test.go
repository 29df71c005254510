package terminal

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
)

func TestNothingButPlainLinesOffATerminal(t *testing.T) {
	var b bytes.Buffer
	out := New(&b, Options{})
	bar := out.Bar("working", 10)
	bar.Set(5, 10, "half")
	out.Line("one %d", 1)
	out.Warn("careful")
	out.Error("%s", out.Paint(Red, "broken"))
	bar.Done()
	bar.Done()
	if got, want := b.String(), "one 1\nwarning: careful\nerror: broken\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestQuietKeepsWarningsAndErrors(t *testing.T) {
	var b bytes.Buffer
	out := New(&b, Options{Quiet: true})
	out.Line("gone")
	out.Warn("kept")
	if b.String() != "warning: kept\n" {
		t.Errorf("%q", b.String())
	}
}

func TestLinesOfManyGoroutinesStayWhole(t *testing.T) {
	var b bytes.Buffer
	out := New(&b, Options{})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { out.Line("%s", strings.Repeat("x", 100)) })
	}
	all.Wait()
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		if line != strings.Repeat("x", 100) {
			t.Fatalf("%q", line)
		}
	}
}

func TestConfirmNeedsATerminal(t *testing.T) {
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := New(&bytes.Buffer{}, Options{}).Confirm(t.Context(), in, "Go ahead?"); !errors.Is(err, ErrNoTerminal) {
		t.Error(err)
	}
}

func TestTableKeepsItsRows(t *testing.T) {
	var b bytes.Buffer
	if err := Table(&b, []string{"A", "B"}, [][]string{{"x\ty\nz", "\x1b[2Jwipe"}, {"long name", "1"}}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "A          B\nx y z      ?[2Jwipe\nlong name  1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Whatever an account is called, it cannot move the cursor or ring the bell.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[31mred\x1b[0m", "\x1b[2J", "\x1b]0;title\x07", "a\rb", "\x7f\x00", "日本"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean := Clean(s)
		if Clean(clean) != clean {
			t.Errorf("%q is cleaned twice", s)
		}
		for i := 0; i < len(clean); i++ {
			if n := colorSequence(clean[i:]); n > 0 {
				i += n - 1
				continue
			}
			if c := clean[i]; c < 0x20 && c != '\n' && c != '\t' || c == 0x7f {
				t.Fatalf("%q leaves %q", s, c)
			}
		}
	})
}
