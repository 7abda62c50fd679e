// Package flags turns a command line into a checked configuration. It defines the flags and their
// help, accepts flags and names in any order, and parses values. [Flags.Config] turns the flags and
// the environment into a run's configuration.
package flags
