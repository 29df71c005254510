package simaws

import (
	"fmt"
	"regexp"
	"strings"
)

// starlarkOf rewrites the Python of a runbook into Starlark, which is a subset
// with few exceptions: imports go, raise becomes a call, generator expressions
// become lists, "is" becomes "==", f-strings become format calls, and texts that
// follow each other are joined. Lines stay where they are, so that positions in
// errors are the script's. with and class cannot be run, nor a try that triesOf has
// left; the error says so.
func starlarkOf(script string) (string, error) {
	p := &pythonRewriter{in: script}
	for p.at < len(p.in) {
		if err := p.token(); err != nil {
			return "", err
		}
	}
	if len(p.open) > 0 {
		return "", fmt.Errorf("SyntaxError: a bracket is not closed")
	}
	return p.out.String(), nil
}

type pythonRewriter struct {
	in   string
	at   int
	out  textBuffer
	open []pythonBracket
	// begun is whether the logical line has had a token.
	begun bool
	// text is whether the last token was a text.
	text bool
}

type pythonBracket struct {
	kind      byte
	start     int // in out, behind the bracket
	generator bool
}

// textBuffer is a builder into which text can be put.
type textBuffer struct{ b []byte }

func (t *textBuffer) String() string { return string(t.b) }
func (t *textBuffer) add(s string)   { t.b = append(t.b, s...) }
func (t *textBuffer) put(i int, s string) {
	t.b = append(t.b[:i], append([]byte(s), t.b[i:]...)...)
}

var (
	importLine = regexp.MustCompile(`^(import|from)\s+[A-Za-z_][^\n]*`)
	raiseLine  = regexp.MustCompile(`^raise\b[ \t]*(?:([A-Za-z_][A-Za-z0-9_.]*)[ \t]*)?`)
	notWord    = regexp.MustCompile(`^[ \t]+not\b`)
	unrunnable = map[string]bool{"try": true, "except": true, "finally": true, "with": true, "class": true, "yield": true, "async": true, "await": true, "assert": true, "global": true, "nonlocal": true, "del": true}
)

func (p *pythonRewriter) token() error {
	rest := p.in[p.at:]
	c := rest[0]
	switch {
	case c == '#':
		end := strings.IndexByte(rest, '\n')
		if end < 0 {
			end = len(rest)
		}
		p.at += end
		return nil
	case c == '\n' || c == ';':
		p.at++
		p.out.add(string(c))
		if len(p.open) == 0 {
			p.begun, p.text = false, false
		}
		return nil
	case c == ' ' || c == '\t' || c == '\r' || c == '\\':
		p.at++
		p.out.add(string(c))
		if c == '\\' && p.at < len(p.in) && p.in[p.at] == '\n' {
			p.at++
			p.out.add("\n")
		}
		return nil
	}
	if !p.begun {
		p.begun = true
		if m := importLine.FindString(rest); m != "" {
			return p.importStatement(m)
		}
	}
	switch {
	case c == '"' || c == '\'':
		return p.literal("", 0)
	case isWordStart(c):
		return p.word(rest)
	case strings.IndexByte("([{", c) >= 0:
		p.plain(1)
		p.open = append(p.open, pythonBracket{kind: c, start: len(p.out.b)})
		if len(p.open) > 200 {
			return fmt.Errorf("SyntaxError: too many nested brackets")
		}
		return nil
	case strings.IndexByte(")]}", c) >= 0:
		if len(p.open) == 0 {
			return fmt.Errorf("SyntaxError: unmatched '%c'", c)
		}
		last := p.open[len(p.open)-1]
		p.open = p.open[:len(p.open)-1]
		if last.generator {
			p.out.put(last.start, "[")
			p.out.add("]")
		}
	}
	p.plain(1)
	return nil
}

// plain copies n bytes.
func (p *pythonRewriter) plain(n int) {
	p.out.add(p.in[p.at : p.at+n])
	p.at += n
	p.text = false
}

func (p *pythonRewriter) importStatement(line string) error {
	p.at += len(line)
	p.out.add("pass")
	// from x import (a, b) may go over lines.
	if strings.Contains(line, "(") && !strings.Contains(line, ")") {
		end := strings.IndexByte(p.in[p.at:], ')')
		if end < 0 {
			return fmt.Errorf("SyntaxError: a bracket is not closed")
		}
		p.out.add(strings.Repeat("\n", strings.Count(p.in[p.at:p.at+end], "\n")))
		p.at += end + 1
	}
	return nil
}

// raise writes `raise X(a)` as `_raise("X", a)`.
func (p *pythonRewriter) raise(m []string) {
	p.at += len(m[0])
	p.text = false
	p.out.add(`_raise("` + orElse(m[1][strings.LastIndex(m[1], ".")+1:], "Exception") + `"`)
	if p.at < len(p.in) && p.in[p.at] == '(' {
		p.at++
		p.out.add(", *")
		// As for a generator, the arguments are put into a list.
		p.open = append(p.open, pythonBracket{kind: 'r', start: len(p.out.b), generator: true})
		return
	}
	p.out.add(")")
}

func isWordStart(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

func isWordByte(c byte) bool { return isWordStart(c) || '0' <= c && c <= '9' }

func (p *pythonRewriter) word(rest string) error {
	n := 1
	for n < len(rest) && isWordByte(rest[n]) {
		n++
	}
	word := rest[:n]
	if n < len(rest) && (rest[n] == '"' || rest[n] == '\'') {
		switch prefix := strings.ToLower(word); prefix {
		case "r", "b", "u", "f", "rb", "br", "fr", "rf":
			return p.literal(prefix, n)
		}
	}
	member := p.at > 0 && strings.HasSuffix(strings.TrimRight(p.in[:p.at], " \t"), ".")
	switch {
	case member:
	case unrunnable[word]:
		return fmt.Errorf("%q statements are not run by the simulator; write the script without them", word)
	case word == "raise":
		p.raise(raiseLine.FindStringSubmatch(rest))
		return nil
	case word == "for" && len(p.open) > 0 && p.open[len(p.open)-1].kind == '(':
		p.open[len(p.open)-1].generator = true
	case word == "is":
		p.at += n
		p.text = false
		if m := notWord.FindString(p.in[p.at:]); m != "" {
			p.at += len(m)
			p.out.add("!=")
			return nil
		}
		p.out.add("==")
		return nil
	}
	p.plain(n)
	return nil
}

// textLength is the length of the quoted text that s begins with.
func textLength(s string) int {
	quote := s[:1]
	if strings.HasPrefix(s, strings.Repeat(quote, 3)) {
		quote = s[:3]
	}
	for i := len(quote); i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote)
		case len(quote) == 1 && s[i] == '\n':
			return i
		}
	}
	return len(s)
}

// literal copies a text; an f-string becomes a format call.
func (p *pythonRewriter) literal(prefix string, skip int) error {
	n := textLength(p.in[p.at+skip:])
	text := p.in[p.at+skip : p.at+skip+n]
	p.at += skip + n
	if len(text) < 2 || text[0] != text[len(text)-1] {
		return fmt.Errorf("SyntaxError: unterminated string literal")
	}
	if p.text {
		p.out.add("+ ")
	}
	p.text = true
	switch {
	case !strings.Contains(prefix, "f"):
		p.out.add(strings.TrimPrefix(prefix, "u") + text)
		return nil
	case strings.Contains(prefix, "r"):
		return fmt.Errorf("raw f-strings are not run by the simulator")
	}
	formatted, err := formatCall(text)
	p.out.add(formatted)
	return err
}

// formatCall turns "a {x} b" (quotes included) into "a {} b".format(str(x)).
func formatCall(text string) (string, error) {
	quote := text[:1]
	if strings.HasPrefix(text, strings.Repeat(quote, 3)) && len(text) >= 6 {
		quote = text[:3]
	}
	inside := text[len(quote) : len(text)-len(quote)]
	var pattern strings.Builder
	var arguments []string
	for i := 0; i < len(inside); i++ {
		switch {
		case strings.HasPrefix(inside[i:], "{{"), strings.HasPrefix(inside[i:], "}}"):
			pattern.WriteString(inside[i : i+2])
			i++
		case inside[i] == '{':
			end, depth := -1, 0
			for j := i; j < len(inside); j++ {
				switch inside[j] {
				case '{', '[', '(':
					depth++
				case '}', ']', ')':
					depth--
				}
				if depth == 0 {
					end = j
					break
				}
			}
			if end < 0 {
				return "", fmt.Errorf("SyntaxError: f-string: expecting '}'")
			}
			expression, conversion, _ := strings.Cut(inside[i+1:end], "!")
			if strings.HasPrefix(conversion, "=") { // a != b
				expression, conversion = inside[i+1:end], ""
			}
			inner, err := starlarkOf(expression)
			if err != nil {
				return "", err
			}
			convert := "str"
			if conversion == "r" {
				convert = "repr"
			}
			pattern.WriteString("{}")
			arguments = append(arguments, convert+"("+inner+")")
			i = end
		default:
			pattern.WriteByte(inside[i])
		}
	}
	return quote + pattern.String() + quote + ".format(" + strings.Join(arguments, ", ") + ")", nil
}
