package journal

import "llmpipe/ledger/disk"

// sayLocalLocks tells of a ledger on a file system that other machines may have too, and where they
// may not see its locks: what keeps the processes of one machine from asking twice, and from
// writing over each other's lines, is missing between those of two. Who has a ledger a machine, and
// reads the others', needs no such lock.
func (j *Journal) sayLocalLocks() {
	fsys := j.cfg.FS
	if fsys == nil {
		fsys = disk.OS{}
	}
	m := fsys.Mount(j.cfg.Path)
	by := m.LocalLocks()
	if by == "" || len(j.cfg.Seen) > 0 {
		return
	}
	j.flow.Voice.Warn("ledger %s: locks on %s (%s) may end at this machine: a process of another would ask again, and damage the ledger",
		j.cfg.Path, m.Point, by)
	j.flow.Voice.Hint("a ledger for each machine is safe there: -l job-$(hostname).jsonl --seen 'job-*.jsonl'")
}
