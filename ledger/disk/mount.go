package disk

import (
	"slices"
	"strings"
)

// Mount is the file system that files are on, as the system names it. The zero value means that
// nothing is known.
type Mount struct {
	Point   string   // the directory that it begins at
	Type    string   // nfs4, fuse.sshfs
	Options []string // the mount's own options in force: local_lock=none
}

// localLocks are the file systems that several machines can share, but whose flock may not reach
// beyond the machine that asks for it: if one of these options is in force, or always if none is
// listed.
var localLocks = map[string][]string{
	"nfs":    {"nolock", "local_lock=all", "local_lock=flock"}, // nfs(5)
	"nfs4":   {"local_lock=all", "local_lock=flock"},
	"cifs":   {"nobrl"}, // mount.cifs(8)
	"smb3":   {"nobrl"},
	"lustre": {"localflock"},  // mount.lustre(8)
	"afs":    {"flock=local"}, // Documentation/filesystems/afs.rst
	"gfs2":   {"localflocks"},
	"ocfs2":  {"localflocks"},
	"9p":     nil, // its server keeps the locks, and QEMU's grants every one: v9fs_lock in hw/9pfs/9p.c
	"beegfs": nil, // tuneUseGlobalFileLocks is off unless the client's configuration sets it
	"vboxsf": nil,

	// A FUSE server without flock leaves it to the kernel: libfuse, struct fuse_operations.
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

// LocalLocks says why locks on the mount may be invisible to other machines that share it. It is ""
// if they are visible, if no other machine shares it, or if that is not known.
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

// parseMounts finds the mount of a device in the text of proc_pid_mountinfo(5). If there are
// several, as with a bind mount, it takes the last, which covers the earlier ones.
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

// unescape decodes the white space and backslashes in a name, which mountinfo writes as octal
// numbers.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace
