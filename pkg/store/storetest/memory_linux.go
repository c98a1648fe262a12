package storetest

import "syscall"

// memory gives a folder whose files are kept in memory, or "" where there is
// none with room for the databases of a test process. A server makes and drops
// thousands of files for each test, and on a disk that is most of its work:
// ext4 shies away from the inodes of files that have just gone, and looks past
// every one of them for each that it makes.
func memory() string {
	const (
		folder = "/dev/shm"
		tmpfs  = 0x01021994
		room   = 2 << 30 // bytes; containers are often given 64 MiB
	)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(folder, &fs); err != nil || fs.Type != tmpfs || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	return folder
}
