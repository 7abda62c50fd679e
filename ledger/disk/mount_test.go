package disk

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// mounts is what proc_pid_mountinfo(5) looks like, with what mounts of network file systems say.
const mounts = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 27 0:45 / /home rw,relatime shared:9 - nfs4 nas:/home rw,vers=4.2,hard,proto=tcp,local_lock=none,addr=10.0.0.2
32 27 0:46 / /scratch rw,relatime shared:10 master:3 - nfs nas:/s rw,vers=3,hard,nolock,proto=tcp,local_lock=all,addr=10.0.0.2
33 27 0:47 /a /mnt/with\040a\134space rw,relatime - nfs4 nas:/a rw,vers=4.1,local_lock=flock
34 27 0:48 / /posix rw - nfs nas:/p rw,vers=3,local_lock=posix
35 27 0:49 / /win rw - cifs //nas/share rw,vers=3.1.1,cache=strict,nobrl,mapposix
36 27 0:50 / /win2 rw - cifs //nas/share rw,vers=3.1.1
37 27 0:51 / /over rw - fuse.sshfs me@host: rw,user_id=0,group_id=0
38 27 0:52 / /vm rw - 9p hostshare rw,access=client,trans=virtio
39 27 0:53 / /work rw - lustre 10.0.0.3@tcp:/work rw,flock,lazystatfs
40 27 0:54 / /work2 rw - lustre 10.0.0.3@tcp:/work rw,localflock
41 27 0:55 / /bees rw - beegfs beegfs_nodev rw,cfgFile=/etc/beegfs/beegfs-client.conf
42 27 0:56 / /cover rw - tmpfs tmpfs rw
43 27 0:56 /b /cover/again rw - tmpfs tmpfs rw
44 27 0:57 cut
`

func TestLocalLocks(t *testing.T) {
	for _, test := range []struct{ device, point, by string }{
		{"254:0", "/", ""},
		{"0:45", "/home", ""},
		{"0:46", "/scratch", "nfs, nolock"},
		{"0:47", `/mnt/with a\space`, "nfs4, local_lock=flock"},
		{"0:48", "/posix", ""}, // which is fcntl's
		{"0:49", "/win", "cifs, nobrl"},
		{"0:50", "/win2", ""},
		{"0:51", "/over", "fuse.sshfs"},
		{"0:52", "/vm", "9p"},
		{"0:53", "/work", ""},
		{"0:54", "/work2", "lustre, localflock"},
		{"0:55", "/bees", "beegfs"},
		{"0:56", "/cover/again", ""},
		{"0:57", "", ""},
		{"0:5", "", ""},
	} {
		m := parseMounts(mounts, test.device)
		if by := m.LocalLocks(); m.Point != test.point || by != test.by {
			t.Errorf("%s is %+v, with local locks by %q", test.device, m, by)
		}
	}
}

func TestMount(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("mounts are known on Linux alone")
	}
	if m := (OS{}).Mount("/proc/self/status"); m.Type != "proc" || m.Point != "/proc" {
		t.Errorf("/proc is on %+v", m)
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "not there yet")
	before := (OS{}).Mount(name)
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if after := (OS{}).Mount(name); after.Type != before.Type || after.Point != before.Point {
		t.Errorf("a file is on %+v, and before it was made on %+v", after, before)
	}
}
