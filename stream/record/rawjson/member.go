package rawjson

import "bytes"

// Span is a stretch of bytes: src[Start:End].
type Span struct{ Start, End int }

// Of returns the bytes of src that s spans.
func (s Span) Of(src []byte) []byte { return src[s.Start:s.End] }

// Member is a name and its value in an object.
type Member struct {
	Key, Value Span
	Cut        bool // set by the caller: [Lookup] does not find it any more
	literal    bool // the key holds no escape
}

func newMember(src []byte, key, value Span) Member {
	return Member{Key: key, Value: value, literal: bytes.IndexByte(key.Of(src), '\\') < 0}
}

// Name returns what the key says, without a copy unless the key has an escape.
func (m *Member) Name(src []byte) []byte {
	if m.literal {
		return src[m.Key.Start+1 : m.Key.End-1]
	}
	return Unquote(nil, m.Key.Of(src))
}

// Is reports whether the key says name.
func (m *Member) Is(src []byte, name string) bool {
	if m.literal {
		return string(src[m.Key.Start+1:m.Key.End-1]) == name
	}
	return Says(m.Key.Of(src), name)
}

// AppendMembers appends the members of the object that begins at i. A value that is not an object
// has no members.
func AppendMembers(dst []Member, src []byte, i int) []Member {
	if i >= len(src) || src[i] != '{' {
		return dst
	}
	for i = SkipSpace(src, i+1); i < len(src) && src[i] == '"'; {
		key := Span{i, SkipString(src, i)}
		i = SkipSpace(src, key.End)
		if i < len(src) && src[i] == ':' {
			i = SkipSpace(src, i+1)
		}
		value := Span{i, SkipValue(src, i)}
		dst = append(dst, newMember(src, key, value))
		i = NextElement(src, value.End)
	}
	return dst
}

// Lookup returns the position of the last member called name that is not cut; -1 if there is none.
// If a name comes twice, the last one counts.
func Lookup(members []Member, src []byte, name string) int {
	for i := len(members) - 1; i >= 0; i-- {
		if m := &members[i]; !m.Cut && m.Is(src, name) {
			return i
		}
	}
	return -1
}

// ValueOf returns the value of the last member called name that is not cut; nil if there is none.
func ValueOf(members []Member, src []byte, name string) []byte {
	if i := Lookup(members, src, name); i >= 0 {
		return members[i].Value.Of(src)
	}
	return nil
}
