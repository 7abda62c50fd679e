package rawjson

// Elements calls yield with every element of an array, until yield returns false. A value that is
// not an array has no elements.
func Elements(array []byte, yield func(value []byte) bool) {
	if len(array) == 0 || array[0] != '[' {
		return
	}
	for i := SkipSpace(array, 1); i < len(array) && array[i] != ']'; {
		end := SkipValue(array, i)
		if !yield(array[i:end]) {
			return
		}
		i = NextElement(array, end)
	}
}

// NextElement returns the position of the element after the one that ends at i, or of the end of
// the array. It works for the members of an object in the same way.
func NextElement(array []byte, i int) int {
	if i = SkipSpace(array, i); i < len(array) && array[i] == ',' {
		return SkipSpace(array, i+1)
	}
	return i
}

// First returns the first element of an array; nil if there is none.
func First(array []byte) []byte {
	var first []byte
	Elements(array, func(value []byte) bool {
		first = value
		return false
	})
	return first
}
