package prove

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteText writes the verdicts for a person, in 80 columns: the lines that were
// tried, with what was seen; then what AWS documents; then what was not tried.
func (r *Report) WriteText(w io.Writer) error {
	p := &printer{w: w}
	p.line("LINES OF FIDELITY.md THAT REST ON LESS THAN AWS'S OWN WORD")
	for _, verdict := range []Verdict{Refuted, Confirmed} {
		for _, l := range r.Lines {
			if l.Verdict == verdict {
				p.head(string(l.Verdict), l.ID, l.Text)
				for _, x := range l.Results {
					p.claim(x)
				}
			}
		}
	}
	p.notTried(r)
	p.documented(r)
	p.line("")
	p.line("%d confirmed, %d refuted, %d not tried of %d weak lines", r.Count(Confirmed), r.Count(Refuted), r.Count(NotTried), len(r.Lines))
	if p.err != nil {
		return p.err
	}
	return WriteLeft(w, r.Left)
}

// WriteLeft says what is still there and how to remove it.
func WriteLeft(w io.Writer, left []Leftover) error {
	p := &printer{w: w}
	if len(left) > 0 {
		p.line("")
		p.line("STILL THERE")
	}
	for _, l := range left {
		p.wrap("  ", "    ", l.What+": "+l.Why)
		p.wrap("    ", "    ", "remove it: "+l.Remove)
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
}

func (p *printer) wrap(first, rest, text string) {
	for n, l := range Wrap(text, 80-max(len(first), len(rest))) {
		if n == 0 {
			p.line("%s%s", first, l)
		} else {
			p.line("%s%s", rest, l)
		}
	}
}

func (p *printer) head(verdict, id, text string) {
	p.line("")
	p.wrap(fmt.Sprintf("%-9s  %s  ", verdict, id), strings.Repeat(" ", 11), text)
}

// claim writes one claim with what was seen and the call that shows it.
func (p *printer) claim(x *Result) {
	indent := strings.Repeat(" ", 11)
	if x.Verdict == NotTried {
		p.wrap(indent+"not tried ", indent+"  ", x.Name+": "+x.Observed)
		return
	}
	p.wrap(indent, indent+"  ", fmt.Sprintf("%s: %s", x.Name, x.Observed))
	for _, c := range x.Calls {
		p.call(indent+"  ", c)
	}
}

func (p *printer) call(indent string, c Call) {
	p.wrap(indent, indent, "request "+orNone(c.RequestID)+" "+c.Operation)
}

func (p *printer) documented(r *Report) {
	title := false
	for _, x := range r.Results {
		if !x.Documented {
			continue
		}
		if !title {
			p.line("")
			p.line("WHAT AWS DOCUMENTS, TRIED ALONG THE WAY")
			title = true
		}
		if x.Verdict == Confirmed {
			p.wrap("  confirmed  ", strings.Repeat(" ", 13), x.Name)
			continue
		}
		p.wrap(fmt.Sprintf("  %-9s  ", x.Verdict), strings.Repeat(" ", 13), x.Name+": "+x.Text)
		word := "seen: "
		if x.Verdict == NotTried {
			word = "why: "
		}
		p.wrap(strings.Repeat(" ", 13), strings.Repeat(" ", 15), word+x.Observed)
		for _, c := range x.Calls {
			p.call(strings.Repeat(" ", 15), c)
		}
	}
}

// notTried groups the lines that were not tried by why.
func (p *printer) notTried(r *Report) {
	var whys []string
	by := map[string][]string{}
	for _, l := range r.Lines {
		if l.Verdict == NotTried {
			if by[l.Why] == nil {
				whys = append(whys, l.Why)
			}
			by[l.Why] = append(by[l.Why], l.ID)
		}
	}
	if len(whys) > 0 {
		p.line("")
		p.line("not tried")
	}
	for _, why := range whys {
		p.wrap("  ", "    ", strings.Join(by[why], ", ")+": "+why)
	}
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// Wrap breaks text at spaces; a longer word has a line of its own.
func Wrap(text string, width int) []string {
	var out []string
	line, length := "", 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if line != "" && length+1+n > width {
			out, line, length = append(out, line), "", 0
		}
		if line != "" {
			line, length = line+" ", length+1
		}
		line, length = line+word, length+n
	}
	return append(out, line)
}
