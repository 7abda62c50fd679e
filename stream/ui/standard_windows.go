package ui

import "os"

// nullForBoth cannot tell on Windows, where a closed file is one that cannot be read or written.
func nullForBoth(*os.File) bool { return false }

// shut is asked of none.
func shut(int) bool { return false }

func readable(*os.File) bool { return true }

func writable(*os.File) bool { return true }
