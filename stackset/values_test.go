package stackset_test

import (
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"rollout/templates"
)

// valid makes a value that the declaration of a parameter allows.
func valid(t *testing.T, r *rand.Rand, p templates.Parameter) string {
	t.Helper()
	for range 1000 {
		value := ""
		switch {
		case p.HasDefault && r.IntN(4) == 0:
			value = p.Default
		case len(p.AllowedValues) > 0:
			value = p.AllowedValues[r.IntN(len(p.AllowedValues))]
		case p.Type == "Number":
			value = strconv.Itoa(whole(r, p))
		case p.Type == "CommaDelimitedList":
			items := make([]string, 1+r.IntN(3))
			for i := range items {
				items[i] = matching(t, r, p)
			}
			value = strings.Join(items, ",")
		default:
			value = matching(t, r, p)
		}
		if p.MaxLength == nil || utf8.RuneCountInString(value) <= *p.MaxLength {
			return value
		}
	}
	t.Fatalf("no value of %s that is short enough", p.Name)
	return ""
}

// whole is a number in a parameter's range, often at its ends.
func whole(r *rand.Rand, p templates.Parameter) int {
	low, high := 0, 100000
	if p.MinValue != nil {
		low = int(*p.MinValue)
	}
	if p.MaxValue != nil {
		high = int(*p.MaxValue)
	}
	switch r.IntN(4) {
	case 0:
		return low
	case 1:
		return high
	}
	return low + r.IntN(high-low+1)
}

func matching(t *testing.T, r *rand.Rand, p templates.Parameter) string {
	t.Helper()
	pattern := p.AllowedPattern
	if pattern == "" {
		pattern = `[A-Za-z0-9/._-]{0,20}`
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	generate(&b, r, parsed)
	return b.String()
}

// generate writes a text that a regular expression matches.
func generate(b *strings.Builder, r *rand.Rand, re *syntax.Regexp) {
	times := func(low, high int) {
		if high < 0 {
			high = low + 12
		}
		for range low + r.IntN(high-low+1) {
			generate(b, r, re.Sub[0])
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		i := 2 * r.IntN(len(re.Rune)/2)
		b.WriteRune(re.Rune[i] + rune(r.IntN(int(re.Rune[i+1]-re.Rune[i])+1)))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte(byte(' ' + r.IntN('~'-' '+1)))
	case syntax.OpStar:
		times(0, -1)
	case syntax.OpPlus:
		times(1, -1)
	case syntax.OpQuest:
		times(0, 1)
	case syntax.OpRepeat:
		times(re.Min, re.Max)
	case syntax.OpAlternate:
		generate(b, r, re.Sub[r.IntN(len(re.Sub))])
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			generate(b, r, sub)
		}
	}
}

// invalid makes values that the declaration of a parameter forbids, each in its own way.
func invalid(r *rand.Rand, p templates.Parameter) []string {
	var out []string
	switch {
	case len(p.AllowedValues) > 0:
		one := p.AllowedValues[r.IntN(len(p.AllowedValues))]
		out = []string{"", one + " ", strings.ToUpper(one) + strings.ToLower(one), one + "\n"}
		out = slices.DeleteFunc(out, func(v string) bool { return slices.Contains(p.AllowedValues, v) })
	case p.Type == "Number":
		out = []string{"", "NaN", "Inf", "-Infinity", "0x10", "1_0", "1e1", "ten", "10 ", "10\n", "1.5"}
		if p.MinValue != nil {
			out = append(out, strconv.Itoa(int(*p.MinValue)-1-r.IntN(1000)))
		}
		if p.MaxValue != nil {
			out = append(out, strconv.Itoa(int(*p.MaxValue)+1+r.IntN(1000)), "9"+strings.Repeat("0", 300+r.IntN(30)))
		}
	case p.AllowedPattern != "":
		whole := regexp.MustCompile(`^(?:` + p.AllowedPattern + `)$`)
		for _, v := range []string{"", " ", "\n", "a\n", "é", "-", "arn:aws:iam::1:role/x", "${AWS::AccountId}", strings.Repeat("x", 5000), string(rune('!' + r.IntN(90)))} {
			if !whole.MatchString(v) {
				out = append(out, v)
			}
		}
		if p.Type == "CommaDelimitedList" { // the spaces around an item are not of it
			out = slices.DeleteFunc(out, func(v string) bool { return whole.MatchString(strings.TrimSpace(v)) })
		}
	}
	if p.MaxLength != nil {
		out = append(out, strings.Repeat("a", *p.MaxLength+1+r.IntN(100)))
	}
	return out
}
