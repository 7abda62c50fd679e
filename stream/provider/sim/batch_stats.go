package sim

// BatchStats counts what was asked and answered through batches.
type BatchStats struct {
	Files   int64            `json:"files"`   // uploaded
	Batches int64            `json:"batches"` // created
	Ended   map[string]int64 `json:"ended"`   // batches by the state they ended in

	Answered int64 `json:"answered"` // answers, which a provider would bill at its batch price
	Failed   int64 `json:"failed"`   // requests that were answered with an error
	Missed   int64 `json:"missed"`   // requests that were not processed before their batch ended
	// Models counts what was answered through batches, by the model asked for.
	Models map[string]ModelStats `json:"models"`
}

// uploaded counts an uploaded file and returns its number.
func (t *stats) uploaded() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Batch.Files++
	return t.counts.Batch.Files
}

func (t *stats) batchMade() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Batch.Batches++
}

// batchEnded counts a batch that ended in a state, with missed requests that were not processed.
func (t *stats) batchEnded(status string, missed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := &t.counts.Batch
	b.Missed += int64(missed)
	if b.Ended == nil {
		b.Ended = make(map[string]int64)
	}
	b.Ended[status]++
}

func (t *stats) batchAnswered(model string, u usage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Batch.Answered++
	t.counts.Batch.Models = bill(t.counts.Batch.Models, model, u)
}

func (t *stats) batchFailed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Batch.Failed++
}
