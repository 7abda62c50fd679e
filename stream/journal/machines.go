package journal

import "llmpipe/ledger/disk"

// sayLocalLocks warns if other machines may share the ledger's file system and may not see its
// locks. Within one machine, locks keep processes from asking twice and from overwriting each
// other's lines. Between two such machines nothing does. Runs that have one ledger a machine, and
// read the others' with --seen, do not need the locks.
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
	j.flow.Voice.Warn("ledger %s: locks on %s (%s) may hold only on this machine: "+
		"a process on another would send records again and damage the ledger",
		j.cfg.Path, m.Point, by)
	j.flow.Voice.Hint("use a ledger for each machine: -l job-$(hostname).jsonl --seen 'job-*.jsonl'")
}
