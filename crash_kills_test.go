//go:build unix && !race

package main

// crashKills is how often a job is killed.
const crashKills = 110
