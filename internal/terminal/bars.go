package terminal

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bars are the live lines below the text of one phase.
type bars struct {
	progress *mpb.Progress
	live     int
}

// write puts text above the bars; false when there are none to write above.
func (b *bars) write(text string) bool {
	if b.live == 0 {
		return false
	}
	_, err := io.WriteString(b.progress, text)
	return err == nil
}

// Bar counts towards a total. The nil Bar does nothing, so callers need not ask
// whether there is a terminal.
type Bar struct {
	out  *Out
	bar  *mpb.Bar
	note *note
}

// note is what stands behind a bar; the bar is drawn by another goroutine.
type note struct{ text atomic.Pointer[string] }

func (n *note) String() string {
	if t := n.text.Load(); t != nil {
		return " " + *t
	}
	return ""
}

// Bar starts a live line; nil where there is no terminal. It must be ended with
// Done.
func (o *Out) Bar(label string, total int) *Bar {
	if !o.tty || o.quiet {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bars == nil || o.bars.live == 0 {
		o.bars = &bars{progress: mpb.New(mpb.WithOutput(o.w), mpb.WithWidth(min(o.width, 110)), mpb.WithRefreshRate(150*time.Millisecond))}
	}
	o.bars.live++
	n := &note{}
	bar := o.bars.progress.AddBar(int64(total), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("  "+Clean(label)+" ", decor.WCSyncSpaceR), decor.CountersNoUnit("%d/%d ", decor.WCSyncSpace)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return n.String() }), decor.Elapsed(decor.ET_STYLE_MMSS, decor.WC{W: 6})))
	return &Bar{out: o, bar: bar, note: n}
}

// Set shows a count, with a note behind the bar.
func (b *Bar) Set(done, total int, text string) {
	if b == nil {
		return
	}
	text = Clean(text)
	b.note.text.Store(&text)
	if total > 0 {
		b.bar.SetTotal(int64(total), false)
	}
	b.bar.SetCurrent(int64(min(done, max(total, 0))))
}

// Done takes the line away. It may be called more than once.
func (b *Bar) Done() {
	if b == nil || b.bar == nil {
		return
	}
	b.bar.Abort(true)
	b.bar.Wait()
	b.bar = nil
	b.out.mu.Lock()
	b.out.bars.live--
	last := b.out.bars.live == 0
	progress := b.out.bars.progress
	b.out.mu.Unlock()
	if last {
		progress.Wait()
	}
}
