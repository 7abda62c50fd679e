//go:build unix && race

package main

// crashKills is less than without the race detector, with which a process takes ten times as long to start.
const crashKills = 20
