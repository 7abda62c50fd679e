//go:build unix && !linux

package disk

import "os"

// allocateBehind allocates nothing: F_PREALLOCATE on darwin would add to the earlier allocation at
// every call.
func allocateBehind(*os.File, int64, int64) (bool, error) { return false, nil }
