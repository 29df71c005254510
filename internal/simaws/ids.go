package simaws

import (
	"fmt"
	"math/rand/v2"
)

// idSource makes the ids of a simulation: the same seed and the same calls give
// the same ids.
type idSource struct{ r *rand.Rand }

func newIDSource(seed uint64) *idSource {
	return &idSource{rand.New(rand.NewPCG(seed, 0x726f6c6c6f7574))}
}

func (s *idSource) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[s.r.IntN(len(alphabet))]
	}
	return string(b)
}

// hex gives n hexadecimal digits.
func (s *idSource) hex(n int) string { return s.from("0123456789abcdef", n) }

// alnum gives n lower-case letters and digits.
func (s *idSource) alnum(n int) string { return s.from("abcdefghijklmnopqrstuvwxyz0123456789", n) }

// upper gives n upper-case letters and digits, as in AROA… and AKIA….
func (s *idSource) upper(n int) string { return s.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", n) }

// uuid gives a version 4 UUID.
func (s *idSource) uuid() string {
	return fmt.Sprintf("%s-%s-4%s-%s%s-%s", s.hex(8), s.hex(4), s.hex(3), s.from("89ab", 1), s.hex(3), s.hex(12))
}
