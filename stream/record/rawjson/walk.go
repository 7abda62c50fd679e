package rawjson

// Walk goes through the members of an object in their order:
//
//	for w := rawjson.WalkAt(src, i); w.Next(); {
//		if string(w.Name) == "usage" {
//			usage = w.Value()
//		}
//	}
//
// A value that is taken apart where it stands is looked at once: what reads it moves the walk on by
// setting At to the position after it. Values that nobody takes are skipped.
type Walk struct {
	src   []byte
	Name  []byte // what the key says, without a copy where it can
	Start int    // position of the value
	At    int    // position after what was looked at; after the last member, after the object
}

// WalkAt begins a walk through the object at i. Anything else has no members.
func WalkAt(src []byte, i int) Walk {
	if i >= len(src) || src[i] != '{' {
		return Walk{src: src, Start: -1, At: len(src)}
	}
	return Walk{src: src, Start: -1, At: i + 1}
}

// Next moves on to the next member, and is false after the last.
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
	if i == len(src) { // what is valid goes on
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

// MemberOf returns the value of an object's last member called name, nil when there is none: of
// names that come twice the last counts.
func MemberOf(object []byte, name string) []byte {
	var value []byte
	for w := WalkAt(object, 0); w.Next(); {
		if string(w.Name) == name {
			value = w.Value()
		}
	}
	return value
}
