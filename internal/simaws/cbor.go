package simaws

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// What Smithy's RPC v2 CBOR protocol needs of CBOR (RFC 8949): maps with text keys, lists,
// texts, numbers, booleans, null, and times as tag 1.

var errCBOR = errors.New("the body is no CBOR of this protocol")

// cborDepth bounds how deep lists and maps may lie in each other.
const cborDepth = 32

// readCBOR reads one item that fills data. A time is a number of seconds.
func readCBOR(data []byte) (any, error) {
	v, rest, err := cborItem(data, 0)
	if err == nil && len(rest) > 0 {
		err = errCBOR
	}
	return v, err
}

func cborItem(data []byte, depth int) (v any, rest []byte, err error) {
	if len(data) == 0 || depth > cborDepth {
		return nil, nil, errCBOR
	}
	major, minor := data[0]>>5, data[0]&31
	if major == 7 {
		return cborSimple(minor, data[1:])
	}
	endless := minor == 31
	n := uint64(0)
	if rest = data[1:]; !endless {
		if n, rest, err = cborNumber(minor, rest); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case major == 0 && !endless:
		return float64(n), rest, nil
	case major == 1 && !endless:
		return -1 - float64(n), rest, nil
	case (major == 2 || major == 3) && !endless:
		if uint64(len(rest)) < n {
			return nil, nil, errCBOR
		}
		return string(rest[:n]), rest[n:], nil
	case major == 4:
		list := []any{}
		for ; endless || n > 0; n-- {
			if endless && len(rest) > 0 && rest[0] == 0xff {
				return list, rest[1:], nil
			}
			if v, rest, err = cborItem(rest, depth+1); err != nil {
				return nil, nil, err
			}
			list = append(list, v)
		}
		return list, rest, nil
	case major == 5:
		m := map[string]any{}
		for ; endless || n > 0; n-- {
			if endless && len(rest) > 0 && rest[0] == 0xff {
				return m, rest[1:], nil
			}
			var key any
			if key, rest, err = cborItem(rest, depth+1); err != nil {
				return nil, nil, err
			}
			name, isText := key.(string)
			if v, rest, err = cborItem(rest, depth+1); err != nil || !isText {
				return nil, nil, errCBOR
			}
			m[name] = v
		}
		return m, rest, nil
	case major == 6 && !endless: // a tag says what the item behind it means
		return cborItem(rest, depth+1)
	}
	return nil, nil, errCBOR
}

// cborNumber reads the number that follows an item's first byte.
func cborNumber(minor byte, data []byte) (n uint64, rest []byte, err error) {
	if minor < 24 {
		return uint64(minor), data, nil
	}
	size := 1 << (minor - 24)
	if minor > 27 || len(data) < size {
		return 0, nil, errCBOR
	}
	var whole [8]byte
	copy(whole[8-size:], data)
	return binary.BigEndian.Uint64(whole[:]), data[size:], nil
}

func cborSimple(minor byte, data []byte) (v any, rest []byte, err error) {
	switch minor {
	case 20, 21:
		return minor == 21, data, nil
	case 22, 23: // null and undefined
		return nil, data, nil
	case 26, 27:
		bits, rest, err := cborNumber(minor, data)
		if minor == 26 {
			return float64(math.Float32frombits(uint32(bits))), rest, err
		}
		return math.Float64frombits(bits), rest, err
	}
	return nil, nil, errCBOR
}

// appendCBOR writes an answer's value behind out.
func appendCBOR(out []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		out = cborHead(out, 5, uint64(len(v)))
		for _, k := range sortedKeys(v) {
			out = appendCBOR(appendCBOR(out, k), v[k])
		}
	case []any:
		out = cborHead(out, 4, uint64(len(v)))
		for _, item := range v {
			out = appendCBOR(out, item)
		}
	case string:
		out = append(cborHead(out, 3, uint64(len(v))), v...)
	case float64:
		out = binary.BigEndian.AppendUint64(append(out, 0xfb), math.Float64bits(v))
	case time.Time:
		out = appendCBOR(append(out, 0xc1), float64(v.UnixMilli())/1000)
	case bool:
		out = append(out, 0xf4)
		if v {
			out[len(out)-1] = 0xf5
		}
	default:
		out = append(out, 0xf6)
	}
	return out
}

// cborHead writes the first bytes of an item.
func cborHead(out []byte, major byte, n uint64) []byte {
	switch major <<= 5; {
	case n < 24:
		return append(out, major|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(out, major|25), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(out, major|27), n)
}
