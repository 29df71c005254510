package simaws

import (
	"fmt"
	"regexp"
	"strings"
)

// scriptLine is a logical line of Python: a statement, or the head of one, with the
// lines that its brackets and texts go over.
type scriptLine struct {
	indent string // what stands before it
	text   string // without the indent and a comment at its end
	raw    string // all of it, with its line feed
	number int    // of its first line, from 1
}

// blank is a line of nothing, or of a comment.
func (l scriptLine) blank() bool { return l.text == "" }

// logicalLines cuts a script into logical lines.
func logicalLines(script string) []scriptLine {
	var out []scriptLine
	number := 1
	for len(script) > 0 {
		end, text, depth := 0, strings.Builder{}, 0
	scan:
		for end < len(script) {
			switch c := script[end]; {
			case c == '#':
				for end < len(script) && script[end] != '\n' {
					end++
				}
				continue
			case c == '"' || c == '\'':
				n := textLength(script[end:])
				text.WriteString(script[end : end+n])
				end += n
				continue
			case strings.IndexByte("([{", c) >= 0:
				depth++
			case strings.IndexByte(")]}", c) >= 0:
				depth--
			case c == '\\' && strings.HasPrefix(script[end:], "\\\n"):
				text.WriteString("\\\n")
				end += 2
				continue
			case c == '\n' && depth <= 0:
				end++
				break scan
			}
			text.WriteByte(script[end])
			end++
		}
		whole := text.String()
		trimmed := strings.TrimSpace(whole)
		line := scriptLine{text: trimmed, raw: script[:end], number: number}
		if trimmed != "" {
			line.indent = whole[:strings.Index(whole, trimmed)]
		}
		out = append(out, line)
		number += strings.Count(line.raw, "\n")
		script = script[end:]
	}
	return out
}

var (
	callHead   = regexp.MustCompile(`^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\(`)
	assigned   = regexp.MustCompile(`^([A-Za-z_]\w*)\s*=\s*`)
	exceptHead = regexp.MustCompile(`^except(?:\s+([A-Za-z_][\w.]*))?(?:\s+as\s+([A-Za-z_]\w*))?\s*:$`)
)

// triesOf rewrites try statements into conditions, for Starlark has none:
//
//	try:                             _try1 = _try(lambda: (call(…)))
//	    x = call(…)                  if _try1.ok:
//	except some.Class as e:              x = _try1.value
//	    …                            elif _try1.caught(some.Class):
//	                                     e = _try1.error
//	                                     …
//	                                 else:
//	                                     _try1.again()
//
// It takes a body of one call, alone, assigned to a name or returned, and classes by
// their name. Everything else it leaves, to be refused. lines says for every line of
// the result which line of the script it comes from; it is nil where all are as they were.
func triesOf(script string) (out string, lines []int, err error) {
	r := &tryRewriter{in: logicalLines(script)}
	for r.at < len(r.in) {
		if line := r.in[r.at]; line.text == "try:" {
			if err := r.try(line); err != nil {
				return "", nil, err
			}
			continue
		}
		r.keep()
	}
	if r.count == 0 {
		return script, nil, nil
	}
	return r.out.String(), r.lines, nil
}

type tryRewriter struct {
	in    []scriptLine
	at    int
	out   strings.Builder
	lines []int
	count int
}

// keep copies the next logical line.
func (r *tryRewriter) keep() {
	line := r.in[r.at]
	r.write(line.number, line.raw, true)
	r.at++
}

// write adds text that comes from the line of that number; its lines count on from
// there where it is the script's own.
func (r *tryRewriter) write(number int, text string, own bool) {
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	r.out.WriteString(text)
	for range strings.Count(text, "\n") {
		r.lines = append(r.lines, number)
		if own {
			number++
		}
	}
}

func (l scriptLine) refused(why string) error {
	return fmt.Errorf("line %d: \"try\" statements are run by the simulator with a body of one call and except clauses that name one class: %s", l.number, why)
}

func (r *tryRewriter) try(head scriptLine) error {
	r.count++
	name := fmt.Sprintf("_try%d", r.count)
	r.at++
	body, ok := r.next()
	if !ok || len(body.indent) <= len(head.indent) {
		return head.refused("it has no body")
	}
	call, then := body.text, "pass"
	if m := assigned.FindStringSubmatch(call); m != nil {
		call, then = call[len(m[0]):], m[1]+" = "+name+".value"
	} else if rest, ok := strings.CutPrefix(call, "return "); ok {
		call, then = strings.TrimSpace(rest), "return "+name+".value"
	}
	if !callHead.MatchString(call) || !oneCall(call) {
		return body.refused("this is not one call")
	}
	if more, ok := r.peek(); ok && len(more.indent) > len(head.indent) {
		return more.refused("this is a second statement of the body")
	}
	r.write(body.number, head.indent+name+" = _try(lambda: ("+call+"))", true)
	inner := head.indent + "    "
	r.write(body.number, head.indent+"if "+name+".ok:\n"+inner+then, false)
	clauses := 0
	for {
		clause, ok := r.peek()
		if !ok || clause.indent != head.indent || !strings.HasPrefix(clause.text, "except") {
			break
		}
		m := exceptHead.FindStringSubmatch(clause.text)
		if m == nil {
			return clause.refused("this clause is not one of them")
		}
		r.next()
		clauses++
		class := m[1]
		if class == "" {
			class = "Exception"
		}
		r.write(clause.number, head.indent+"elif "+name+".caught("+class+"):", false)
		first, ok := r.peek()
		if !ok || len(first.indent) <= len(head.indent) {
			return clause.refused("it has no block")
		}
		if m[2] != "" {
			r.write(clause.number, first.indent+m[2]+" = "+name+".error", false)
		}
		for {
			line, ok := r.peek()
			if !ok || len(line.indent) <= len(head.indent) {
				break
			}
			if line.text == "raise" {
				r.next()
				r.write(line.number, line.indent+name+".again()", false)
				continue
			}
			if line.text == "try:" {
				r.skipBlank()
				if err := r.try(line); err != nil {
					return err
				}
				continue
			}
			r.skipBlank()
			r.keep()
		}
	}
	if clauses == 0 {
		return head.refused("it has no except clause")
	}
	if line, ok := r.peek(); ok && line.indent == head.indent && (line.text == "else:" || line.text == "finally:") {
		return line.refused(line.text + " is none of them")
	}
	r.write(body.number, head.indent+"else:\n"+inner+name+".again()", false)
	return nil
}

// peek is the next logical line that is not blank.
func (r *tryRewriter) peek() (scriptLine, bool) {
	for _, line := range r.in[r.at:] {
		if !line.blank() {
			return line, true
		}
	}
	return scriptLine{}, false
}

func (r *tryRewriter) skipBlank() {
	for r.at < len(r.in) && r.in[r.at].blank() {
		r.keep()
	}
}

func (r *tryRewriter) next() (scriptLine, bool) {
	r.skipBlank()
	if r.at == len(r.in) {
		return scriptLine{}, false
	}
	r.at++
	return r.in[r.at-1], true
}

// oneCall says whether a text is a call and nothing behind it, but for members and
// items of its result: f(a)["b"].
func oneCall(text string) bool {
	depth, closed := 0, false
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '"' || c == '\'':
			i += textLength(text[i:])
			continue
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
			closed = true
		case depth == 0 && closed && !isWordByte(c) && c != '.':
			return false
		}
		i++
	}
	return depth == 0
}
