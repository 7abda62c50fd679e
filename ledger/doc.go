// Package ledger remembers what was answered, so that nothing is lost and nothing is paid twice.
//
// A run opens a ledger with [Open], asks [Ledger.Admit] of every record whether it is recorded,
// gets recorded answers back with [Ledger.ReadMatch], and hands new ones to [Ledger.Commit] before
// it shows them to anybody. [Scan] goes through a ledger for exports, and [Repair] writes a damaged
// one clean. Beside it, package line writes and reads single lines, package price says what answers
// cost, package report adds ledgers up, and package disk is the file system.
//
// The rest of this comment is the format on disk, format 1, whole enough to write another reader
// from.
//
// # Lines
//
// A ledger is a file of mode 0600 that is only ever appended to. It is UTF-8 text, one JSON object
// a line, each ended by a newline (0x0A), so that jq reads it. Every line begins with its kind and
// ends in a checksum:
//
//	{"kind":"result", … ,"crc":"d41d8cd9"}
//
// The checksum is the CRC-32C (Castagnoli) of all bytes of the line before `,"crc":"`, as 8
// hexadecimal digits. All hexadecimal digits are lower case. There is no white space between tokens
// where this comment shows none, and the members up to the one called the last fixed one stand in
// the order given: a reader may take them from their places and need not parse the line. What
// follows them is in no order, but where this comment says what stands last, and a member that is
// missing is empty, zero or false. Members that a reader does not know are to be skipped; so are
// lines of kinds that it does not know, once their checksum is verified, and lines with nothing in
// them, which an editor may leave. A line has at most 256 MiB.
//
// # run
//
// Stands before the first record of every run.
//
//	{"kind":"run","format":1,"time":"2026-03-04T05:06:07.089Z","run":"7f3a","version":"v0.1.0",
//	 "endpoint":"chat","model":"gpt-4o-mini","provider":"api.openai.com","crc":"…"}
//
// The last fixed member is format. A format greater than the reader's own is a reason to refuse the
// file. Then: simulated (true where the simulated provider is asked), time (of the run's start),
// run (an id), version (of the program), endpoint, model, provider, mode (realtime, batch or
// hybrid; earlier versions wrote none), budget_usd and budget_per_day_usd (the most that all in the
// ledger may cost, ever and since 00:00 UTC, as cost_usd; not there where there is no such bound).
// Several runs may be under way at a time, so a run line does not say which run the records after
// it are of.
//
// # end
//
// Stands behind the last record of a run that ended by itself: one that was killed has none, nor
// has one of an earlier version.
//
//	{"kind":"end","run":"7f3a","time":"2026-03-04T05:16:07.089Z","exit":3,"in":200,"ok":185,
//	 "failed":15,"retries":4,"status_429":7,"crc":"…"}
//
// The last fixed member is run. Then: time, simulated (true, where a simulator was asked), exit
// (the status of the process, 128 and the number of a signal that ended it), in (the records
// selected), ok (of them, answered now or before), failed, skipped (of ok: recorded before), unsent
// (read, and not answered), retries (attempts after the first), status_429 (answers with that HTTP
// status).
//
// # result
//
// A request was answered. (Lines are broken here for the page only.)
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
//   - cost_usd: US dollars, digits and at most nine decimals, no exponent; null where no price is
//     known
//   - simulated: true; not there for an answer of a real provider
//   - may_cost_usd: as cost_usd, the most that attempts whose outcome nobody knows can have cost;
//     not there where there are none, or where no price is known
//   - run: the id of the run that wrote it, which has nothing at risk for the record from here on;
//     not there where it had nothing at risk at all
//
// Then: id (the record's, as the token it came as), endpoint, model and provider (that answered),
// downgraded_from (the model asked for, where the budget changed it), cost_stated (true: cost_usd
// is what the provider stated itself, not what its tokens cost by a price), cost_partial (true: it
// bills more than cost_usd, for something that no price was known of), same_as (the id of the
// record whose answer it is, where that was asked and this one, whose request is equal, was not:
// then cost_usd is 0 and there are no tokens), fits (true: it was checked against a schema, and
// fits), misfit (it does not, and this is where its first fault is, as a fragment of a URI with an
// asterisk for each number), turn (how many answers to the record were before it, in one
// conversation, as they did not fit), earlier_attempts, earlier_cost_usd, earlier_cost_unknown and
// earlier_cost_partial (true: of some no price is known, or not all), earlier_prompt_tokens,
// earlier_completion_tokens, earlier_total_tokens, earlier_cached_tokens and
// earlier_reasoning_tokens (what those took, each of which has a line of its own), shard (the id of
// the batch line's shard that it was answered through; not there where it was asked on its own),
// prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, attempts, latency_ms,
// attachments (the files that the request held, in its order, each with path, as the record has it,
// size in bytes, mtime, UTC, where it is in a year of four digits, and sha256, 64 digits; the
// fingerprint has their paths alone), and last, before the checksum, response (the body, without
// white space between its tokens).
//
// A record is done when there is a result with its id and its fingerprint. Of several the last one
// counts. An id is the same when its token is, byte for byte.
//
// # failure
//
// A record got no answer. The next run tries it again, so a failure counts for the reports, and for
// the spend where it was billed. The fixed members are those of a result; cost_usd is 0 where
// nothing was billed. Then: id, endpoint, model, provider, cost_partial, shard, prompt_tokens,
// completion_tokens, attempts, latency_ms, type (the class of the error), code (the provider's),
// status (HTTP), message, misfit (as of a result: the record's last answer stands in one, with what
// it cost, and did not fit).
//
// # risk
//
// Records are about to be asked about. The line is written before the requests go, for a group of
// them, so that what a process that dies may have spent is known to all that come after it.
//
//	{"kind":"risk","run":"7f3a","time":"2026-03-04T05:06:07.089Z",
//	 "lifted":["4a513d8612f9b45bfe36…"],"kept_usd":[0.0002],
//	 "keys":["8f434346648f6b966ca1…"],"worst_usd":[0.0000265],"crc":"…"}
//
// The fixed members:
//   - run: the run's id, 1 to 64 of A-Z a-z 0-9 _ -
//   - time: of the line
//   - simulated: true, where a simulator is asked
//   - lifted and kept_usd: keys, as in emitted, of records at which no attempt of the run is under
//     way any more, and what those before may have cost; neither is there where there are none
//   - keys and worst_usd: keys of records that the run asks about now, and the most that all its
//     attempts at each can cost, those before and the next, as cost_usd
//
// A list of amounts may be shorter than that of its keys: the last ones are then 0 in kept_usd, and
// null in worst_usd.
//
// What a line says of a run and a record holds until the next line of the run with that key says
// something else (in a line, keys come after lifted), until the run's result or failure of the
// record, or until the run is gone. A lifted key with nothing kept is at risk no more. Then what
// was at risk counts as what may have been spent, as may_cost_usd does. Another run's line of the
// same record ends nothing.
//
// A run that has something at risk holds the lock, as under Writing, of the file LEDGER.run-ID, of
// mode 0600 and without content, LEDGER being what symbolic links lead to. It takes the lock before
// its first risk line and removes the file at its end. Where there is no such file, as beside a
// ledger that was copied, or nobody holds its lock, the run is gone; who finds that removes the
// file. The run may have written until then, so a reader counts what was at risk only after it has
// read on.
//
// Before a line is written, under the same lock, a run makes sure that no record of it is at risk
// by another run that lives, has a result, or is in a pending shard; and, where there is a budget,
// that all that is spent, that may have been, that is at risk by whomever, and that is set aside
// for pending shards leaves room for it. So processes of one ledger keep one budget together, and
// wait for each other's records instead of asking twice.
//
// A reader that does not know these lines adds up what is recorded as ever: it lacks a bound on
// what is not, which it never had of its own kind. So the format is still 1.
//
// # share
//
// What a run has seen of the money of its job, which it shares with other ledgers by a server that
// may lose everything: then those that live, and those that come back, say it again.
//
//	{"kind":"share","job":"job","epoch":"1772600772543000-7f3a","time":"2026-03-04T05:06:07.089Z",
//	 "runs":[{"run":"8c1e","ledger":"0b095ff9192e3fba","day":20516,"spent_usd":1.2,"most_usd":1.3,
//	 "today_spent_usd":0.2,"today_most_usd":0.3}],"gone":["7f39"],"crc":"…"}
//
// The members: job (its name), epoch (since when the server lost nothing, as it calls that), time,
// runs (of which there is news) and gone (ids of runs that are no part of the job any more). Of a
// run: run (its id), ledger (which it writes, as the job calls that), day (of the amounts of one
// day, in days of UTC since 1970), spent_usd and today_spent_usd (settled by its ledger, ever and
// that day), most_usd and today_most_usd (what that may come to before the job hears of it again).
// What a line says of a run holds until one of a later time says something else. It is others'
// money: none of it counts for this ledger.
//
// # emitted
//
// Results were written to a regular file.
//
//	{"kind":"emitted","file":"0000000000000803:0000000000a3f1c2","size":4096,
//	 "keys":["8f434346648f6b966ca1…"],"from":3072,"sum":"d41d8cd9","crc":"…"}
//
// The fixed members: file (device and inode, 16 digits each), simulated (true, where a simulated
// run wrote them), size (an offset of the file, in bytes, behind what was written), empty (true,
// where the file was empty when the run began), keys (each the record's i and the first 16 digits
// of its r, 32 digits; there may be none), from (an offset), sum (the CRC-32C of the file's bytes
// from there to size, 8 digits), within (true, where beside the lines of these records others that
// no mark tells of are between the offsets). The keys are of the records written, which with
// --match id may be others than those of the results that they were served with.
//
// A file may be cut, overwritten, or made anew, and keep its inode or get that of another; and the
// ledgers of two machines may be put into one. So a line counts where the file's bytes have its
// sum, and only there.
//
// Earlier versions wrote no from and no sum. Such a line counts for a record where the file has a
// line of an answer with its id, or, of plain text, the lines of its answer. One with empty, or
// with a size below that of the file's line before, says that earlier ones of this kind mean
// nothing any more; and so does a file that is shorter than the last one says.
//
// # batch
//
// A shard, which is the records that go to a provider as one batch, took a step. A step is written
// down and synced before the next one is taken, so that a run that died is taken up where it was.
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
// The fixed members: step, shard (its id, 1 to 64 of A-Z a-z 0-9 _ -), time, simulated (true, where
// a simulated run wrote it). A line with a step that a reader does not know is to be skipped. The
// steps:
//   - intent: the records are about to be uploaded. It has provider, endpoint, model (as sent),
//     round (1 for records submitted for the first time), reask (which further turn of a
//     conversation its requests are, from 1 on, since answers did not fit a schema), bytes (of the file), reserved_usd (the
//     most that it can cost; missing where that was not reckoned), window (the completion window);
//     and last, in this order, keys (as in emitted, one a record) and records, as many: id, r (its
//     fingerprint), custom_id (missing where it is the id, a JSON string, without its quotes),
//     downgraded_from, attachments (as in a result: what its files were when they were read)
//   - uploaded: the provider has the file. It has file_id
//   - created: the provider has the batch. It has batch_id
//   - collected: all that is known of it is recorded, or it was given up. It has state (the last
//     one at the provider, or the run's own word where there was none), answered, failed and
//     missing (counts of its records), cost_usd (of all its answers and failures, each of which has
//     its part of it on its own line, and which is not to be added to theirs; null where no price
//     is known), may_cost_usd (the most that one can have cost which was given up; it counts as
//     spent)
//
// Steps may be left out, but neither intent nor collected, and file_id and batch_id may stand in
// later steps too. Where a step is there twice the last one counts. A shard without collected is
// pending, and so are those of its records that have no result behind its intent: one before did
// not serve any more. Of several shards with a record the last one counts. Before an intent is
// written, its records and what it reserves are looked at under the lock as those of a risk line
// are. A damaged intent that was repaired away leaves a shard of which no records are known.
//
// A process that takes a shard further holds the lock, as under Writing, of the file
// LEDGER.batch-SHARD, of mode 0600 and without content. Who collects the shard removes it.
//
// # Writing
//
// A writer takes the file's lock (flock, on windows LockFileEx of the byte at 0x7fffffff00000000),
// reads what was appended since it last looked, writes its lines at the end in one go, and gives
// the lock back. Then it syncs, but for a line of what is at risk. Readers take no lock: they stop
// at the last newline. Who shows a result that it did not sync itself syncs the file first.
//
// Bytes after the last newline that the holder of the lock finds are of a writer that died. It
// saves them in FILE.broken-RUN, cuts them off, and says so. Where a write falls short, the writer
// cuts the file back to the last whole line. A line that is whole is never taken back: another
// process may have read it. After an error of a write, a sync or the lock a Ledger takes no more
// commits. Room that a writer keeps in hand is no part of the file.
//
// A line whose checksum is wrong, anywhere before the last newline, is damage. A reader names its
// offset and refuses the file, as the line may be an answer that was paid for.
//
// # Merging
//
// One ledger behind another, as cat a b > c makes it, is a ledger: of a record that both have the
// last result counts, and the money of both.
//
// The end of a may be torn, and b then begins amid a line. So what stands between two newlines and
// is no line may be any number of lines with right checksums, the last of which ends it, and each
// of which may stand behind the beginnings of others, which were torn: {"kind":" and whatever
// follows in JSON, but not to its end. Zeros may stand behind those, or in their place, where a
// power failure kept a write from the disk, and spaces in the place of the first, with which
// earlier versions looked for room. A reader says that such beginnings are left out. Anything else
// is damage.
//
// # Reading fast
//
// A gigabyte of results of one kilobyte opens in about a second or less: lines are verified, but
// not parsed. The index in memory has two hashes and an offset for each record, 24 bytes, at most
// 32 with the room that it keeps free; see package index.
package ledger
