package ui

import "os"

// nullForBoth reports false: on Windows a closed file is one that cannot be read or written.
func nullForBoth(*os.File) bool { return false }

// shut is not called on Windows, because nullForBoth reports false.
func shut(int) bool { return false }

func readable(*os.File) bool { return true }

func writable(*os.File) bool { return true }
