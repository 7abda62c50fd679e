//go:build !linux

package disk

// Mount is not known on this platform.
func (OS) Mount(string) Mount { return Mount{} }
