package simaws

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestReadsCBOR(t *testing.T) {
	long := strings.Repeat("a", 70000)
	for name, test := range map[string]struct {
		data string
		want any
	}{
		"numbers":        {"\x85\x00\x17\x18\x64\x39\x03\xe7\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", []any{0.0, 23.0, 100.0, -1000.0, 1.1}},
		"float32":        {"\xfa\x47\xc3\x50\x00", 100000.0},
		"endless":        {"\xbf\x61a\x9f\x01\xff\xff", map[string]any{"a": []any{1.0}}},
		"a time":         {"\xc1\x1a\x51\x4b\x67\xb0", 1363896240.0},
		"words":          {"\x84\xf4\xf5\xf6\xf7", []any{false, true, nil, nil}},
		"a long text":    {string(appendCBOR(nil, long)), long},
		"a time of ours": {string(appendCBOR(nil, time.UnixMilli(1500))), 1.5},
		"all of an answer": {string(appendCBOR(nil, map[string]any{"b": []any{"x", 2.0, true, nil}, "a": map[string]any{}})),
			map[string]any{"b": []any{"x", 2.0, true, nil}, "a": map[string]any{}}},
	} {
		if got, err := readCBOR([]byte(test.data)); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, data := range []string{"", "\x18", "\x61", "\x81", "\xa1\x01\x01", "\xa1\x61a", "\xff", "\x00\x00", "\x1f", "\xf8", "\xfb\x00", "\x9f\x01", strings.Repeat("\x81", 100) + "\x00", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff"} {
		if got, err := readCBOR([]byte(data)); err == nil {
			t.Errorf("%q: %v", data, got)
		}
	}
}

// What is read can be written, and is then read as the same.
func FuzzCBOR(f *testing.F) {
	for _, seed := range []string{"\xbf\x61a\x9f\x01\xff\xff", "\xc1\x1a\x51\x4b\x67\xb0", "\x84\xf4\xf5\xf6\xf7", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := readCBOR(data)
		if err != nil {
			return
		}
		once := appendCBOR(nil, v)
		again, err := readCBOR(once)
		if err != nil || !bytes.Equal(once, appendCBOR(nil, again)) {
			t.Errorf("%q: %v, then %v: %v", data, v, again, err)
		}
	})
}
