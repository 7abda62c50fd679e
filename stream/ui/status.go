package ui

import (
	"time"

	"llmpipe/ledger/price"
)

// Status is a run at one moment: a line for people, an object for programs. Total counts the
// records in the inputs. The difference between Total and In has not been read yet.
type Status struct {
	Time  time.Time `json:"time"`
	State string    `json:"state,omitempty"` // what the run waits for, or who stands in for the provider, in words
	Summary
	Done      int64         `json:"done"`                // answered or failed
	Total     int64         `json:"total,omitempty"`     // records in the inputs; 0 if unknown
	Estimated bool          `json:"estimated,omitempty"` // the total is an estimate
	PerSecond float64       `json:"per_second"`          // records answered or failed, without those recorded before
	ETA       float64       `json:"eta_s,omitempty"`     // seconds
	InFlight  int           `json:"in_flight"`
	Allowed   int           `json:"concurrency"` // how many may be in flight now
	Lanes     []LaneStatus  `json:"lanes,omitempty"`
	Sleeping  int           `json:"sleeping"`            // records that wait to be asked again
	Held      int64         `json:"held_back,omitempty"` // results that wait for those before them, with --ordered
	RPM       int           `json:"rpm"`                 // requests in the last minute
	RPMLimit  int           `json:"rpm_limit,omitempty"`
	TPM       int           `json:"tpm"` // tokens in the last minute
	TPMLimit  int           `json:"tpm_limit,omitempty"`
	Spent     price.Dollars `json:"spent_usd"`            // of the budget; without one, by this run
	Budget    price.Dollars `json:"budget_usd,omitempty"` // 0: none

	SimulatedSpent price.Dollars `json:"simulated_spent_usd,omitempty"` // the simulated part of Spent
}

// LaneStatus is one of several lanes that records go to side by side.
type LaneStatus struct {
	Name     string `json:"name"`
	InFlight int    `json:"in_flight"`
	Allowed  int    `json:"concurrency"`
	RPM      int    `json:"rpm"`            // requests in the last minute
	Open     bool   `json:"down,omitempty"` // its breaker is open
}

// String returns the whole status in one line.
func (s *Status) String() string { return s.line(anyWidth) }
