// Package input takes records in: lines out of the inputs, decoded, chosen (--sample, --limit),
// looked up among what is recorded and what this run has met, and sent where they go.
package input
