// Package limiter holds back the requests of one lane: as many as the provider
// allows, and no more.
package limiter
