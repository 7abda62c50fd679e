// Package lane asks about records at once. [Lanes] route requests to providers, workers place and
// send them, what fails for now sleeps and is asked again, and with packing one [Request] is about
// several records.
package lane
