package record

// walk goes through the members of an object, which is known to be valid, in their order:
//
//	for w := walkAt(src, i); w.next(); {
//		if string(w.name) == "usage" {
//			usage = w.value()
//		}
//	}
//
// A value that is taken apart where it stands is looked at once: what reads it moves the walk on by setting at to the position after it.
// Values that nobody takes are skipped.
type walk struct {
	src   []byte
	name  []byte // what the key says, without a copy where it can
	start int    // position of the value
	at    int    // position after what was looked at; after the last member, after the object
}

// walkAt begins a walk through the object at i. Anything else has no members.
func walkAt(src []byte, i int) walk {
	if i >= len(src) || src[i] != '{' {
		return walk{src: src, start: -1, at: len(src)}
	}
	return walk{src: src, start: -1, at: i + 1}
}

// next moves on to the next member, and is false after the last.
func (w *walk) next() bool {
	if w.at == w.start {
		w.at = skipValue(w.src, w.start)
	}
	src, i := w.src, nextElement(w.src, w.at)
	if i >= len(src) || src[i] != '"' {
		w.start, w.at = -1, min(i+1, len(src))
		return false
	}
	end, escaped := scanString(src, i)
	key := src[i:end]
	if i = skipSpace(src, end); i < len(src) && src[i] == ':' {
		i = skipSpace(src, i+1)
	}
	if i == len(src) { // what is valid goes on
		w.start, w.at = -1, i
		return false
	}
	w.name = key[1 : len(key)-1]
	if escaped {
		w.name = nameOf(key)
	}
	w.start, w.at = i, i
	return true
}

// value returns the member's value.
func (w *walk) value() []byte {
	if w.at == w.start {
		w.at = skipValue(w.src, w.start)
	}
	return w.src[w.start:w.at]
}

// memberOf returns the value of an object's last member called name, nil when there is none: of names that come twice the last counts.
func memberOf(object []byte, name string) []byte {
	var value []byte
	for w := walkAt(object, 0); w.next(); {
		if string(w.name) == name {
			value = w.value()
		}
	}
	return value
}
