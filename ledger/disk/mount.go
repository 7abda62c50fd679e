package disk

import (
	"slices"
	"strings"
)

// Mount is a file system that files are on, as the system names it. The zero value is one of which
// nothing is known.
type Mount struct {
	Point   string   // the directory that it begins at
	Type    string   // nfs4, fuse.sshfs
	Options []string // its own, as they are in force: local_lock=none
}

// localLocks are the file systems that several machines may have at a time and whose flock may end
// at the machine that asks for it: where one of these options is in force, or always where none is
// given.
var localLocks = map[string][]string{
	"nfs":    {"nolock", "local_lock=all", "local_lock=flock"}, // nfs(5)
	"nfs4":   {"local_lock=all", "local_lock=flock"},
	"cifs":   {"nobrl"}, // mount.cifs(8)
	"smb3":   {"nobrl"},
	"lustre": {"localflock"},  // mount.lustre(8)
	"afs":    {"flock=local"}, // Documentation/filesystems/afs.rst
	"gfs2":   {"localflocks"},
	"ocfs2":  {"localflocks"},
	"9p":     nil, // its server keeps them, and QEMU's grants each: v9fs_lock in hw/9pfs/9p.c
	"beegfs": nil, // tuneUseGlobalFileLocks is off unless the client's configuration sets it
	"vboxsf": nil,

	// A server of FUSE that has no flock leaves it to the kernel: libfuse, struct fuse_operations.
	"virtiofs":           nil,
	"fuse.sshfs":         nil,
	"fuse.rclone":        nil,
	"fuse.s3fs":          nil,
	"fuse.mountpoint-s3": nil,
	"fuse.goofys":        nil,
	"fuse.gcsfuse":       nil,
	"fuse.blobfuse2":     nil,
	"fuse.curlftpfs":     nil,
	"fuse.vmhgfs-fuse":   nil,
}

// LocalLocks says by what locks on the mount may be unknown to other machines that have it too; ""
// where they are known there, where nobody else has it, and where that cannot be told.
func (m Mount) LocalLocks() string {
	options, known := localLocks[m.Type]
	if !known {
		return ""
	}
	if options == nil {
		return m.Type
	}
	for _, o := range options {
		if slices.Contains(m.Options, o) {
			return m.Type + ", " + o
		}
	}
	return ""
}

// parseMounts finds the mount of a device in what proc_pid_mountinfo(5) says. Of several, as of a
// directory that is bound to another, it is the last, which covers those before it.
func parseMounts(mountinfo, device string) Mount {
	var m Mount
	for text := range strings.Lines(mountinfo) {
		own, of, found := strings.Cut(strings.TrimSuffix(text, "\n"), " - ")
		point, system := strings.Split(own, " "), strings.Split(of, " ")
		if !found || len(point) < 6 || len(system) < 3 || point[2] != device {
			continue
		}
		m = Mount{Point: unescape(point[4]), Type: system[0], Options: strings.Split(system[2], ",")}
	}
	return m
}

// unescape gives a name its white space and backslashes back, which are octal numbers there.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace
