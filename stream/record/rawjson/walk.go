package rawjson

// Walk goes through the members of an object in their order:
//
//	for w := rawjson.WalkAt(src, i); w.Next(); {
//		if string(w.Name) == "usage" {
//			usage = w.Value()
//		}
//	}
//
// Code that reads a value in place can set At to the position after it. The value is then scanned
// only once. Values that are not read are skipped.
type Walk struct {
	src   []byte
	Name  []byte // what the key says, without a copy unless it has an escape
	Start int    // position of the value
	At    int    // position after what was looked at; after the last member, the position after the object
}

// WalkAt begins a walk through the object at i. A value that is not an object has no members.
func WalkAt(src []byte, i int) Walk {
	if i >= len(src) || src[i] != '{' {
		return Walk{src: src, Start: -1, At: len(src)}
	}
	return Walk{src: src, Start: -1, At: i + 1}
}

// Next moves on to the next member. It reports false after the last one.
func (w *Walk) Next() bool {
	if w.At == w.Start {
		w.At = SkipValue(w.src, w.Start)
	}
	src, i := w.src, NextElement(w.src, w.At)
	if i >= len(src) || src[i] != '"' {
		w.Start, w.At = -1, min(i+1, len(src))
		return false
	}
	end, escaped := ScanString(src, i)
	key := src[i:end]
	if i = SkipSpace(src, end); i < len(src) && src[i] == ':' {
		i = SkipSpace(src, i+1)
	}
	if i == len(src) { // not valid JSON: no value follows
		w.Start, w.At = -1, i
		return false
	}
	w.Name = key[1 : len(key)-1]
	if escaped {
		w.Name = NameOf(key)
	}
	w.Start, w.At = i, i
	return true
}

// Value returns the member's value.
func (w *Walk) Value() []byte {
	if w.At == w.Start {
		w.At = SkipValue(w.src, w.Start)
	}
	return w.src[w.Start:w.At]
}

// MemberOf returns the value of an object's last member called name; nil if there is none. If a
// name comes twice, the last one counts.
func MemberOf(object []byte, name string) []byte {
	var value []byte
	for w := WalkAt(object, 0); w.Next(); {
		if string(w.Name) == name {
			value = w.Value()
		}
	}
	return value
}
