// Package flags is what a command line says, checked, as configuration: the flags with their help,
// the order of words that the shell's users write, the values that flags take, and [Flags.Config],
// which turns all of it and the environment into a run's configuration.
package flags
