// Package flags turns a command line into a checked configuration. It holds the flags with their
// help, accepts flags and names in any order, and reads the values of flags. [Flags.Config] turns
// the flags and the environment into a run's configuration.
package flags
