// Package lane sends records to providers one request at a time, not through the Batch API. [Lanes]
// route each request to a provider, and workers send it. A request that fails for a reason that may
// pass sleeps and is then retried. With packing, one [Request] holds several records.
package lane
