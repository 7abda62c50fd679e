// Package ledger remembers every answer, so that nothing is lost and nothing is paid for twice.
//
// A run opens a ledger with [Open]. It asks [Ledger.Admit] for every record whether it is recorded,
// reads recorded answers back with [Ledger.ReadMatch], and hands new ones to [Ledger.Commit] before
// it shows them to anybody. [Scan] reads a whole ledger for exports, and [Repair] writes a clean
// copy of a damaged one. Below it, package line writes and reads single lines, package price says
// what answers cost, package report adds up ledgers, and package disk is the file system.
//
// The rest of this comment is the format on disk, format 1. It is complete enough to write another
// reader from.
//
// # Lines
//
// A ledger is a file of mode 0600 that is only ever appended to. It is UTF-8 text with one JSON
// object a line, each ended by a newline (0x0A), so that jq reads it. Every line begins with its
// kind and ends in a checksum:
//
//	{"kind":"result", … ,"crc":"d41d8cd9"}
//
// The checksum is the CRC-32C (Castagnoli) of all bytes of the line before `,"crc":"`, as 8
// hexadecimal digits. All hexadecimal digits are lower case. There is no white space between tokens
// except where this comment shows some. Each kind has fixed members, up to the one that this
// comment names as the last. They stand in the order given here, so a reader may take them from
// their places without parsing the line. The members after them are in any order, unless this
// comment says that one stands last. A missing member is empty, zero or false. A reader skips
// members that it does not know, lines of kinds that it does not know (once their checksum is
// verified), and blank lines, which an editor may leave. A line has at most 256 MiB.
//
// # run
//
// Every run writes this line before its first record.
//
//	{"kind":"run","format":1,"time":"2026-03-04T05:06:07.089Z","run":"7f3a","version":"v0.1.0",
//	 "endpoint":"chat","model":"gpt-4o-mini","provider":"api.openai.com","crc":"…"}
//
// The last fixed member is format. A reader refuses a file with a format greater than its own.
// Then: simulated (true if the simulated provider is asked), time (of the run's start), run (an
// id), version (of the program), endpoint, model, provider, mode (realtime, batch or hybrid;
// earlier versions wrote none), budget_usd and budget_per_day_usd (the most that everything in the
// ledger may cost, in total and since 00:00 UTC, written like cost_usd; missing if there is no such
// bound). Several runs may write at the same time, so a run line does not say which run the records
// after it belong to.
//
// # end
//
// A run writes this line after its last record, if it ends by itself. A run that was killed has
// none, and neither has a run of an earlier version.
//
//	{"kind":"end","run":"7f3a","time":"2026-03-04T05:16:07.089Z","exit":3,"in":200,"ok":185,
//	 "failed":15,"retries":4,"status_429":7,"crc":"…"}
//
// The last fixed member is run. Then: time, simulated (true if a simulator was asked), exit (the
// exit status of the process, or 128 plus the number of the signal that ended it), in (the records
// selected), ok (how many of them are answered, now or before), failed, skipped (how many of ok
// were recorded before), unsent (read, but not answered), retries (attempts after the first),
// status_429 (responses with that HTTP status).
//
// # result
//
// A request was answered. (The lines here are wrapped for the page only.)
//
//	{"kind":"result","i":"8f434346648f6b96","r":"6ca1…64 digits…","time":"2026-03-04T05:06:07.089Z",
//	 "cost_usd":0.0000138,"id":"r1","endpoint":"chat","model":"gpt-4o-mini",
//	 "provider":"api.openai.com","prompt_tokens":12,"completion_tokens":20,"attempts":1,
//	 "latency_ms":812,"response":{…},"crc":"…"}
//
// The fixed members:
//   - i: the first 8 bytes of the SHA-256 of the id's JSON token, 16 digits
//   - r: the request's fingerprint, a SHA-256, 64 digits
//   - time: UTC, always 24 bytes with three decimals
//   - cost_usd: US dollars, digits and at most nine decimals, no exponent; null if no price is
//     known
//   - simulated: true; missing for an answer of a real provider
//   - may_cost_usd: written like cost_usd, the most that attempts with an unknown outcome can
//     have cost; missing if there are none, or if no price is known
//   - run: the id of the run that wrote the line, which from here on has nothing at risk for the
//     record; missing if it had nothing at risk at all
//
// Then:
//   - id: the record's, the JSON token as it was read
//   - endpoint; model and provider: the ones that answered
//   - downgraded_from: the model that was asked for, if the budget changed it
//   - cost_stated: true if the provider itself stated cost_usd, so that it was not computed from
//     tokens and a price
//   - cost_partial: true if the provider bills more than cost_usd, for something without a known
//     price
//   - same_as: the id of the record that the answer is from. That record was asked, and this
//     one, with an equal request, was not: cost_usd is then 0 and there are no tokens
//   - fits: true if the response was checked against a schema and fits
//   - misfit: the place of the first fault if it does not fit, as a URI fragment with an
//     asterisk for each number
//   - turn: how many answers that did not fit came before this one in the conversation
//   - earlier_attempts, earlier_cost_usd, earlier_prompt_tokens, earlier_completion_tokens,
//     earlier_total_tokens, earlier_cached_tokens, earlier_reasoning_tokens: the sums over those
//     answers, each of which has a line of its own
//   - earlier_cost_unknown, earlier_cost_partial: true if the price of some of them is not
//     known, or not known in full
//   - shard: the id of the shard, as in a batch line, that the record was answered in; missing
//     if it was asked on its own
//   - prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, attempts, latency_ms
//   - attachments: the files of the request, in its order, each with path (as in the record),
//     size (bytes), mtime (UTC; only if its year has four digits) and sha256 (64 digits). The
//     fingerprint covers only their paths
//   - response: the body, without white space between its tokens. It stands last, before the
//     checksum
//
// A record is done when there is a result with its id and its fingerprint. If there are several,
// the last one counts. Two ids are the same if their tokens are equal byte for byte.
//
// # failure
//
// A record got no answer. The next run tries it again, so a failure counts only for the reports,
// and for the spend if it was billed. The fixed members are those of a result; cost_usd is 0 if
// nothing was billed. Then: id, endpoint, model, provider, cost_partial, shard, prompt_tokens,
// completion_tokens, attempts, latency_ms, type (the class of the error), code (the provider's),
// status (HTTP), message, misfit (as in a result: the record's last answer did not fit the schema;
// it has a result line of its own, with its cost).
//
// # risk
//
// A run is about to ask about records. It writes one line for a group of them before it sends the
// requests. So if the process dies, every later process knows what it may have spent.
//
//	{"kind":"risk","run":"7f3a","time":"2026-03-04T05:06:07.089Z",
//	 "lifted":["4a513d8612f9b45bfe36…"],"kept_usd":[0.0002],
//	 "keys":["8f434346648f6b966ca1…"],"worst_usd":[0.0000265],"crc":"…"}
//
// The fixed members:
//   - run: the run's id, 1 to 64 of A-Z a-z 0-9 _ -
//   - time: of the line
//   - simulated: true if a simulator is asked
//   - lifted and kept_usd: keys, as in emitted, of records for which the run has no attempt in
//     flight any more, and what the earlier attempts may have cost; both are missing if there
//     are none
//   - keys and worst_usd: keys of records that the run is about to ask about, and the most that
//     all its attempts at each can cost, the earlier ones and the next, written like cost_usd
//
// A list of amounts may be shorter than the list of its keys. The missing amounts at the end are
// then 0 in kept_usd, and null in worst_usd.
//
// What a line says of a run and a record holds until one of these: the run's next line with that
// key (within a line, keys come after lifted); the run's result or failure of the record; the end
// of the run. A lifted key with nothing kept is no longer at risk. When a run is gone, what it had
// at risk counts as possibly spent, like may_cost_usd. A line of the same record by another run
// ends nothing.
//
// A run that has something at risk holds a lock, of the kind described under Writing, on the file
// LEDGER.run-ID. LEDGER is the path of the ledger after following symbolic links; the file has mode
// 0600 and no content. The run takes the lock before its first risk line and removes the file at
// its end. If there is no such file, as next to a copied ledger, or if nobody holds its lock, the
// run is gone; a reader that finds this removes the file. The run may have written until that
// moment, so a reader counts what was at risk only after it has read on to the end.
//
// Before a run writes a line, it checks two things under the same lock. None of its records may be
// at risk by another living run, have a result, or be in a pending shard. And if there is a budget,
// it must leave room for the line, after everything that is spent, possibly spent, at risk by any
// run, and set aside for pending shards. So the processes on one ledger keep to one budget, and
// wait for each other's records instead of asking twice.
//
// A reader that does not know these lines still adds up what is recorded. It only lacks a bound on
// what is not recorded, and earlier versions never had one. So the format is still 1.
//
// # share
//
// What a run has seen of its job's money. A job shares its money between several ledgers, through a
// server that may lose everything. Runs that are alive, and runs that come back, then tell the
// server again.
//
//	{"kind":"share","job":"job","epoch":"1772600772543000-7f3a","version":41,
//	 "time":"2026-03-04T05:06:07.089Z","runs":[{"run":"8c1e","ledger":"0b095ff9192e3fba","day":20516,"spent_usd":1.2,"most_usd":1.3,
//	 "today_spent_usd":0.2,"today_most_usd":0.3}],"gone":["7f39"],"crc":"…"}
//
// The members: job (its name), epoch (the server's name for the time since it last lost anything),
// version (how far the server was in that epoch; missing in lines of earlier versions), time, runs
// (those with news) and gone (ids of runs that are no longer part of the job). For each run: run
// (its id), ledger (the job's name for the ledger that it writes), day (the day of the daily
// amounts, in days of UTC since 1970), spent_usd and today_spent_usd (settled by its ledger, in
// total and on that day), most_usd and today_most_usd (the most that these can be before the job
// hears from the run again). What a line says of a run holds until a line with a later time says
// something else. It is the money of other ledgers: none of it counts for this one.
//
// # emitted
//
// Results were written to a regular file.
//
//	{"kind":"emitted","file":"0000000000000803:0000000000a3f1c2","size":4096,
//	 "keys":["8f434346648f6b966ca1…"],"from":3072,"sum":"d41d8cd9","crc":"…"}
//
// The fixed members: file (device and inode, 16 digits each), simulated (true if a simulated run
// wrote them), size (the offset in the file after what was written, in bytes), empty (true if the
// file was empty when the run began), keys (for each record its i and the first 16 digits of its r,
// 32 digits in all; the list may be empty), from (an offset), sum (the CRC-32C of the file's bytes
// from there to size, 8 digits), within (true if the bytes between the offsets also hold other
// lines, for which there is no mark). The keys are of the records that were written. With --match
// id they may differ from the keys of the results that answered them.
//
// A file may be cut, overwritten or made anew, and its inode may stay the same or become another
// file's; and the ledgers of two machines may be merged. So a line counts only if the file's bytes
// have its sum.
//
// Earlier versions wrote no from and no sum. Such a line counts for a record if the file has the
// line of an answer with its id, or, in plain text, the lines of its answer. A line with empty, or
// with a smaller size than the file's previous line, makes earlier lines of this kind void. So does
// a file that is shorter than the last such line says.
//
// # batch
//
// A shard took a step; a shard is the records that go to a provider as one batch. Each step is
// written and synced before the next one is taken, so that the next run can continue where a dead
// one stopped.
//
//	{"kind":"batch","step":"intent","shard":"7f3a-1","time":"2026-03-04T05:06:07.089Z",
//	 "provider":"api.openai.com","endpoint":"chat","model":"gpt-4o-mini","round":1,"bytes":1234,
//	 "reserved_usd":0.5,"window":"24h","keys":["8f434346648f6b966ca1…"],
//	 "records":[{"id":"r1","r":"6ca1…64 digits…","custom_id":"c1"}],"crc":"…"}
//	{"kind":"batch","step":"uploaded","shard":"7f3a-1","time":"…","file_id":"file-1","crc":"…"}
//	{"kind":"batch","step":"created","shard":"7f3a-1","time":"…","batch_id":"batch_1","crc":"…"}
//	{"kind":"batch","step":"collected","shard":"7f3a-1","time":"…","state":"completed","answered":1,
//	 "cost_usd":0.0000069,"crc":"…"}
//
// The fixed members: step, shard (its id, 1 to 64 of A-Z a-z 0-9 _ -), time, simulated (true if
// a simulated run wrote it). A reader skips a line with a step that it does not know. The steps:
//   - intent: the records are about to be uploaded. It has provider, endpoint, model (as sent),
//     round (1 for records submitted for the first time), reask (for further turns of
//     conversations whose answers did not fit a schema: which turn, from 1), bytes (of the
//     file), reserved_usd (the most that the shard can cost; missing if it was not computed),
//     window (the completion window). Last stand, in this order, keys (as in emitted, one a
//     record) and as many records, each with id, r (its fingerprint), custom_id (missing if it
//     is the id, a JSON string, without its quotes), downgraded_from, attachments (as in a
//     result: its files as they were when they were read)
//   - uploaded: the provider has the file. It has file_id
//   - created: the provider has the batch. It has batch_id
//   - collected: everything that is known of it is recorded, or it was given up. It has state
//     (the last one at the provider, or the run's own word if there was none), answered, failed
//     and missing (counts of its records), cost_usd (of all its answers and failures; each has
//     its share on its own line, so this must not be added to them; null if no price is known),
//     may_cost_usd (the most that a batch that was given up can have cost; it counts as spent)
//
// Every shard has an intent and ends with collected; the steps between may be missing, and file_id
// and batch_id may also stand in later steps. If a step is there twice, the last one counts. A
// shard without collected is pending. So are those of its records that have no result after its
// intent; an earlier result was not good enough. If a record is in several shards, the last one
// counts. Before an intent is written, its records and its reservation are checked under the lock,
// like those of a risk line. If a damaged intent was repaired away, the records of its shard are
// not known.
//
// A process that advances a shard holds a lock, of the kind described under Writing, on the file
// LEDGER.batch-SHARD, of mode 0600 and without content. The process that collects the shard removes
// the file.
//
// # Writing
//
// A writer takes the file's lock (flock; on Windows, LockFileEx of the byte at 0x7fffffff00000000).
// It reads what was appended since it last looked, appends its lines in one write, and releases the
// lock. Then it syncs, except after a risk line. Readers take no lock: they stop at the last
// newline. Before a process shows a result that it did not sync itself, it syncs the file.
//
// If the holder of the lock finds bytes after the last newline, they are from a writer that died.
// It saves them in FILE.broken-RUN, cuts them off, and reports it. After a short write, the writer
// cuts the file back to the last whole line. A whole line is never taken back: another process may
// have read it. After an error of a write, a sync or the lock, a Ledger takes no more commits.
// Space that a writer reserves behind the end is not part of the file.
//
// A line with a wrong checksum, anywhere before the last newline, is damage. A reader reports its
// offset and refuses the file, as the line may be an answer that was paid for.
//
// # Merging
//
// Two ledgers joined as by cat a b > c are a ledger. If both have a result of a record, the last
// one counts; the money of both counts.
//
// The end of a may be torn, so that b begins in the middle of a line. So the text between two
// newlines, if it is not a line, may be any number of lines with right checksums. One of them ends
// the text. Before each of them may stand the beginnings of other, torn lines: {"kind":" and what
// follows in JSON, but not to its end. After such a beginning, or instead of it, may stand zeros,
// if a power failure kept a write from the disk. Instead of the first beginning may stand spaces,
// which earlier versions wrote to test for free space. A reader reports that it leaves such
// beginnings out. Anything else is damage.
//
// # Reading fast
//
// A gigabyte of results of one kilobyte each opens in about a second or less: lines are verified,
// but not parsed. The index in memory has two hashes and an offset for each record: 24 bytes, or at
// most 32 with its free slots; see package index.
package ledger
