// Package terminal writes to a person or to a log: lines, bars, tables and a
// question. It knows no domain type. Bars and colour appear on a terminal only;
// elsewhere every step is one plain line.
package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// Out is where people read: standard error of a command. Methods may be called
// from many goroutines.
type Out struct {
	mu    sync.Mutex
	w     io.Writer
	tty   bool
	color bool
	quiet bool
	width int
	bars  *bars
}

// Options says how to write.
type Options struct {
	NoColor bool // --no-color or NO_COLOR
	Quiet   bool // nothing but warnings and errors
}

// New writes to w. It is a terminal when w is an *os.File that is one.
func New(w io.Writer, o Options) *Out {
	out := &Out{w: w, quiet: o.Quiet, width: 100}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		out.tty = true
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			out.width = width
		}
	}
	out.color = out.tty && !o.NoColor
	return out
}

// TTY says whether a person watches.
func (o *Out) TTY() bool { return o.tty }

// Color says whether colour may be used.
func (o *Out) Color() bool { return o.color }

// Width is the number of columns.
func (o *Out) Width() int { return o.width }

// Line writes one line, above the bars where there are any; nothing when quiet.
func (o *Out) Line(format string, args ...any) {
	if !o.quiet {
		o.write(fmt.Sprintf(format, args...))
	}
}

// Warn writes a warning, also when quiet.
func (o *Out) Warn(format string, args ...any) {
	o.write(o.Paint(Yellow, "warning:") + " " + fmt.Sprintf(format, args...))
}

// Error writes an error, also when quiet.
func (o *Out) Error(format string, args ...any) {
	o.write(o.Paint(Red, "error:") + " " + fmt.Sprintf(format, args...))
}

func (o *Out) write(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text = Clean(text) + "\n"
	if o.bars != nil && o.bars.write(text) {
		return
	}
	io.WriteString(o.w, text) //nolint:errcheck // nobody is left to tell
}

// Style is a colour that repeats what the words beside it say.
type Style string

// The styles in use.
const (
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Blue   Style = "34"
	Bold   Style = "1"
	Dim    Style = "2"
)

// Paint colours text on a terminal.
func (o *Out) Paint(s Style, text string) string {
	if !o.color {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// Clean takes control characters out of text that came from elsewhere (an account
// name can hold anything), so that it cannot move the cursor or forge a line. Our
// own colour sequences, tabs and line ends stay.
func Clean(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		if n := colorSequence(text[i:]); n > 0 {
			b.WriteString(text[i : i+n])
			i += n
			continue
		}
		c := text[i]
		switch {
		case c == '\n' || c == '\t' || c >= 0x20 && c != 0x7f:
			b.WriteByte(c)
		default:
			b.WriteByte('?')
		}
		i++
	}
	return b.String()
}

// colorSequence gives the length of a leading SGR sequence, 0 when there is none.
func colorSequence(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	for i := 2; i < len(s) && i < 12; i++ {
		switch {
		case s[i] == 'm':
			return i + 1
		case s[i] >= '0' && s[i] <= '9' || s[i] == ';':
		default:
			return 0
		}
	}
	return 0
}

// ErrNoTerminal means that a question could not be asked.
var ErrNoTerminal = errors.New("there is no terminal to ask on")

// Confirm asks a yes-or-no question on a terminal; anything but yes is no. The
// answer is waited for until ctx is done.
func (o *Out) Confirm(ctx context.Context, in io.Reader, question string) (bool, error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || !o.tty {
		return false, ErrNoTerminal
	}
	o.mu.Lock()
	fmt.Fprintf(o.w, "%s [y/N] ", question)
	o.mu.Unlock()
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n')
		answer <- line
	}()
	select {
	case line := <-answer:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return true, nil
		}
		return false, nil
	case <-ctx.Done():
		fmt.Fprintln(o.w)
		return false, ctx.Err()
	}
}
