package rawjson

// AppendMember appends a member, and a comma before it unless it is the first of an object.
func AppendMember(dst []byte, key string, value []byte) []byte {
	return append(AppendKey(dst, key), value...)
}

// AppendKey appends a member's key and colon, and a comma before them unless it is the first of an
// object.
func AppendKey(dst []byte, key string) []byte {
	if n := len(dst); n > 0 && dst[n-1] != '{' {
		dst = append(dst, ',')
	}
	dst = AppendQuoted(dst, key)
	return append(dst, ':')
}
