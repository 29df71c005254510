package simaws

import (
	"math/big"
	"net/netip"
)

// cidr is Fn::Cidr: count blocks of 2^bits addresses out of a block (template
// reference, Fn::Cidr: count 1 to 256; bits below the length of an address).
func cidr(block string, count, bits int) ([]any, error) {
	whole, err := netip.ParsePrefix(block)
	if err != nil {
		return nil, templateError("Fn::Cidr requires an IP block, not %s", block)
	}
	whole = whole.Masked()
	length := whole.Addr().BitLen()
	if count < 1 || count > 256 {
		return nil, templateError("Fn::Cidr requires a count from 1 to 256, not %d", count)
	}
	if bits < 1 || bits > length-whole.Bits() {
		return nil, templateError("Fn::Cidr cannot cut blocks of %d bits out of %s", bits, block)
	}
	if room := length - whole.Bits() - bits; room < 8 && 1<<room < count {
		return nil, templateError("Fn::Cidr cannot cut %d blocks of %d bits out of %s", count, bits, block)
	}
	var out []any
	at := new(big.Int).SetBytes(whole.Addr().AsSlice())
	step := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	for range count {
		raw := make([]byte, length/8)
		at.FillBytes(raw)
		address, _ := netip.AddrFromSlice(raw)
		out = append(out, netip.PrefixFrom(address, length-bits).String())
		at.Add(at, step)
	}
	return out, nil
}
