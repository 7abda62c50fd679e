package record

// The types below can be set from text, as a command line does it.

// UnmarshalText implements encoding.TextUnmarshaler by ParseEndpoint.
func (e *Endpoint) UnmarshalText(text []byte) (err error) {
	*e, err = ParseEndpoint(string(text))
	return err
}

// UnmarshalText implements encoding.TextUnmarshaler by ParseFormat.
func (f *Format) UnmarshalText(text []byte) (err error) {
	*f, err = ParseFormat(string(text))
	return err
}
