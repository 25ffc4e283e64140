package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// SQLite reaches files through a table of functions, its VFS. The tests put a
// table of their own before the usual one and make it the default, so that the
// queue is opened exactly as it always is: a file in a folder where a simulated
// disk is mounted lives on that disk, every other file is the system's. Only
// this file knows how the library passes its arguments.

var (
	simulated lib.Tsqlite3_vfs        // ours; SQLite keeps its address
	system    *lib.Tsqlite3_vfs       // the one that was the default before
	methods   lib.Tsqlite3_io_methods // of a file on a simulated disk
	register  sync.Once

	mounts = struct {
		sync.RWMutex
		disks map[string]*disk // by folder
		files map[uintptr]*file
		last  uintptr // token given out last
	}{disks: map[string]*disk{}, files: map[uintptr]*file{}}
)

// openFile is what SQLite keeps of an open file: its methods and our token.
type openFile struct {
	base  lib.Tsqlite3_file
	token uintptr
}

// mount makes d the disk of the folder until another one is mounted there.
// Beside SQLite's files a folder has some that the queue makes itself, so it
// must exist.
func mount(folder string, d *disk) {
	register.Do(registerVFS)
	mounts.Lock()
	defer mounts.Unlock()
	mounts.disks[folder] = d
}

// folder makes a folder on which a disk can be mounted.
func folder(t testing.TB) string {
	t.Helper()
	name, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mounts.Lock()
		defer mounts.Unlock()
		delete(mounts.disks, name)
	})
	return name
}

func registerVFS() {
	tls := libc.NewTLS()
	defer tls.Close()
	system = (*lib.Tsqlite3_vfs)(address(lib.Xsqlite3_vfs_find(tls, 0)))
	name, err := libc.CString("simulated")
	if err != nil {
		panic(err)
	}
	simulated = *system
	simulated.FpNext, simulated.FzName = 0, name
	simulated.FszOsFile = max(simulated.FszOsFile, int32(unsafe.Sizeof(openFile{})))
	*(*func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32)(unsafe.Pointer(&simulated.FxOpen)) = vfsOpen
	*(*func(*libc.TLS, uintptr, uintptr, int32) int32)(unsafe.Pointer(&simulated.FxDelete)) = vfsDelete
	*(*func(*libc.TLS, uintptr, uintptr, int32, uintptr) int32)(unsafe.Pointer(&simulated.FxAccess)) = vfsAccess
	*(*func(*libc.TLS, uintptr, int32) int32)(unsafe.Pointer(&simulated.FxSleep)) = vfsSleep

	methods.FiVersion = 2
	*(*func(*libc.TLS, uintptr) int32)(unsafe.Pointer(&methods.FxClose)) = fileClose
	*(*func(*libc.TLS, uintptr, uintptr, int32, int64) int32)(unsafe.Pointer(&methods.FxRead)) = fileRead
	*(*func(*libc.TLS, uintptr, uintptr, int32, int64) int32)(unsafe.Pointer(&methods.FxWrite)) = fileWrite
	*(*func(*libc.TLS, uintptr, int64) int32)(unsafe.Pointer(&methods.FxTruncate)) = fileTruncate
	*(*func(*libc.TLS, uintptr, int32) int32)(unsafe.Pointer(&methods.FxSync)) = fileSync
	*(*func(*libc.TLS, uintptr, uintptr) int32)(unsafe.Pointer(&methods.FxFileSize)) = fileSize
	*(*func(*libc.TLS, uintptr, int32) int32)(unsafe.Pointer(&methods.FxLock)) = fileLock
	*(*func(*libc.TLS, uintptr, int32) int32)(unsafe.Pointer(&methods.FxUnlock)) = fileUnlock
	*(*func(*libc.TLS, uintptr, uintptr) int32)(unsafe.Pointer(&methods.FxCheckReservedLock)) = fileCheckReservedLock
	*(*func(*libc.TLS, uintptr, int32, uintptr) int32)(unsafe.Pointer(&methods.FxFileControl)) = fileControl
	*(*func(*libc.TLS, uintptr) int32)(unsafe.Pointer(&methods.FxSectorSize)) = fileSectorSize
	*(*func(*libc.TLS, uintptr) int32)(unsafe.Pointer(&methods.FxDeviceCharacteristics)) = fileDeviceCharacteristics
	*(*func(*libc.TLS, uintptr, int32, int32, int32, uintptr) int32)(unsafe.Pointer(&methods.FxShmMap)) = fileShmMap
	*(*func(*libc.TLS, uintptr, int32, int32, int32) int32)(unsafe.Pointer(&methods.FxShmLock)) = fileShmLock
	*(*func(*libc.TLS, uintptr))(unsafe.Pointer(&methods.FxShmBarrier)) = fileShmBarrier
	*(*func(*libc.TLS, uintptr, int32) int32)(unsafe.Pointer(&methods.FxShmUnmap)) = fileShmUnmap

	if rc := lib.Xsqlite3_vfs_register(tls, uintptr(unsafe.Pointer(&simulated)), 1); rc != lib.SQLITE_OK {
		panic(fmt.Sprint("cannot register the simulated disk: ", rc))
	}
}

// address turns one of the library's addresses into a pointer.
func address(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

func bytesAt(p uintptr, n int32) []byte { return unsafe.Slice((*byte)(address(p)), n) }

func setInt32(p uintptr, n int32) {
	if p != 0 {
		*(*int32)(address(p)) = n
	}
}

// diskOf returns the disk on which the named file lives, and its name there;
// nil for the system's files.
func diskOf(name uintptr) (*disk, string) {
	if name == 0 {
		return nil, "" // a temporary file
	}
	folder, base := filepath.Split(libc.GoString(name))
	mounts.RLock()
	defer mounts.RUnlock()
	return mounts.disks[filepath.Clean(folder)], base
}

func fileOf(p uintptr) *file {
	mounts.RLock()
	defer mounts.RUnlock()
	return mounts.files[(*openFile)(address(p)).token]
}

func vfsOpen(tls *libc.TLS, vfs, name, p uintptr, flags int32, outFlags uintptr) int32 {
	d, base := diskOf(name)
	if d == nil {
		open := system.FxOpen
		return (*(*func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32)(unsafe.Pointer(&open)))(
			tls, uintptr(unsafe.Pointer(system)), name, p, flags, outFlags)
	}
	o := (*openFile)(address(p))
	*o = openFile{}
	f, rc := d.open(base, flags)
	if rc != lib.SQLITE_OK {
		return rc
	}
	mounts.Lock()
	defer mounts.Unlock()
	mounts.last++
	o.token = mounts.last
	mounts.files[o.token] = f
	o.base.FpMethods = uintptr(unsafe.Pointer(&methods))
	setInt32(outFlags, flags)
	return lib.SQLITE_OK
}

func vfsDelete(tls *libc.TLS, vfs, name uintptr, syncFolder int32) int32 {
	d, base := diskOf(name)
	if d == nil {
		remove := system.FxDelete
		return (*(*func(*libc.TLS, uintptr, uintptr, int32) int32)(unsafe.Pointer(&remove)))(tls, vfs, name, syncFolder)
	}
	return d.remove(base, syncFolder != 0)
}

func vfsAccess(tls *libc.TLS, vfs, name uintptr, flags int32, result uintptr) int32 {
	d, base := diskOf(name)
	if d == nil {
		access := system.FxAccess
		return (*(*func(*libc.TLS, uintptr, uintptr, int32, uintptr) int32)(unsafe.Pointer(&access)))(tls, vfs, name, flags, result)
	}
	setInt32(result, libc.Bool32(d.exists(base)))
	return lib.SQLITE_OK
}

// vfsSleep sleeps by the clock of the test.
func vfsSleep(tls *libc.TLS, vfs uintptr, microseconds int32) int32 {
	time.Sleep(time.Duration(microseconds) * time.Microsecond)
	return microseconds
}

func fileClose(tls *libc.TLS, p uintptr) int32 {
	fileOf(p).close()
	o := (*openFile)(address(p))
	mounts.Lock()
	defer mounts.Unlock()
	delete(mounts.files, o.token)
	*o = openFile{}
	return lib.SQLITE_OK
}

func fileRead(tls *libc.TLS, p, buffer uintptr, n int32, offset int64) int32 {
	return fileOf(p).read(bytesAt(buffer, n), offset)
}

func fileWrite(tls *libc.TLS, p, buffer uintptr, n int32, offset int64) int32 {
	return fileOf(p).write(bytesAt(buffer, n), offset)
}

func fileTruncate(tls *libc.TLS, p uintptr, size int64) int32 { return fileOf(p).truncate(size) }

func fileSync(tls *libc.TLS, p uintptr, flags int32) int32 { return fileOf(p).sync() }

func fileSize(tls *libc.TLS, p, size uintptr) int32 {
	*(*int64)(address(size)) = fileOf(p).size()
	return lib.SQLITE_OK
}

func fileLock(tls *libc.TLS, p uintptr, level int32) int32 { return fileOf(p).lock(level) }

func fileUnlock(tls *libc.TLS, p uintptr, level int32) int32 { return fileOf(p).unlock(level) }

func fileCheckReservedLock(tls *libc.TLS, p, result uintptr) int32 {
	setInt32(result, libc.Bool32(fileOf(p).reserved()))
	return lib.SQLITE_OK
}

func fileControl(tls *libc.TLS, p uintptr, op int32, argument uintptr) int32 {
	return lib.SQLITE_NOTFOUND
}

func fileSectorSize(tls *libc.TLS, p uintptr) int32 { return 4096 }

// What the system's own VFS says of an ordinary disk: a write that is cut
// short leaves the bytes beside it alone.
func fileDeviceCharacteristics(tls *libc.TLS, p uintptr) int32 {
	return lib.SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

func fileShmMap(tls *libc.TLS, p uintptr, region, size, extend int32, result uintptr) int32 {
	*(*uintptr)(address(result)) = fileOf(p).sharedMemory(int(region), int(size), extend != 0)
	return lib.SQLITE_OK
}

func fileShmLock(tls *libc.TLS, p uintptr, offset, n, flags int32) int32 {
	return fileOf(p).lockShared(int(offset), int(n), flags)
}

func fileShmBarrier(tls *libc.TLS, p uintptr) { fileOf(p).size() } // it takes and gives back a mutex

func fileShmUnmap(tls *libc.TLS, p uintptr, remove int32) int32 {
	fileOf(p).unmap()
	return lib.SQLITE_OK
}

// allocate returns zeroed memory that Go's collector and race detector leave
// alone, as they do with memory that processes share.
func allocate(size int) uintptr {
	tls := libc.NewTLS()
	defer tls.Close()
	p := libc.Xcalloc(tls, 1, libc.Tsize_t(size))
	if p == 0 {
		panic("out of memory")
	}
	return p
}

func free(p uintptr) {
	tls := libc.NewTLS()
	defer tls.Close()
	libc.Xfree(tls, p)
}
