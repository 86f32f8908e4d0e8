import Glibc
import Testing

@testable import Hypervisor

@Suite("Pages of another process")
struct ProcessPagesTests {
    @Test("a file's mappings are found among others, by its whole name")
    func mappings() {
        let text = """
            55d0c0a00000-55d0c0b00000 r--p 00000000 fe:00 1311 /usr/bin/qemu-system-x86_64
            7f1000000000-7f1008000000 rw-s 00000000 00:18 42                         /dev/shm/with space/a.ram
            7f1010000000-7f1010001000 rw-s 00000000 00:18 43                         /dev/shm/with space/a.ram.old
            7f1020000000-7f1020004000 rw-s 08000000 00:18 42                         /dev/shm/with space/a.ram
            7f1030000000-7f1030004000 rw-p 00000000 00:00 0 
            zzzz-7f10 rw-s 00000000 00:18 42                         /dev/shm/with space/a.ram
            7fff-7f10 rw-s 00000000 00:18 42                         /dev/shm/with space/a.ram

            """
        let found = ProcessPages.mappings(of: "/dev/shm/with space/a.ram", in: text)
        #expect(found == [0x7f10_0000_0000..<0x7f10_0800_0000, 0x7f10_2000_0000..<0x7f10_2000_4000])
        #expect(ProcessPages.mappings(of: "/dev/shm/with space/a.ram", in: "").isEmpty)
    }

    /// By this process itself, which every system lets itself read.
    @Test("holes of a tmpfs file become memory, and what is in it stays")
    func holesAreFilled() throws {
        let path = "/dev/shm/fermata-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let (file, size) = (open(path, O_RDWR | O_CREAT | O_EXCL, 0o600), 10 << 20)
        try #require(file >= 0)
        defer {
            close(file)
            unlink(path)
        }
        try #require(ftruncate(file, size) == 0)
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        let bytes = try #require(memory == MAP_FAILED ? nil : memory)
        defer { munmap(bytes, size) }
        bytes.storeBytes(of: 7, toByteOffset: 5000, as: UInt8.self)
        func allocated() -> Int {
            var status = stat()
            return fstat(file, &status) == 0 ? Int(status.st_blocks) * 512 : -1
        }
        #expect(allocated() < size / 2)

        var asked = 0
        let cut = ProcessPages.bringIn(path, of: getpid()) {
            asked += 1
            return asked < 3
        }
        #expect(cut == .some(reached: 8 << 20, of: UInt64(size)))
        #expect(allocated() >= 8 << 20)
        #expect(ProcessPages.bringIn(path, of: getpid()) { true } == .all)
        #expect(allocated() == size)
        #expect(bytes.load(fromByteOffset: 5000, as: UInt8.self) == 7)
        #expect(ProcessPages.bringIn("/nowhere", of: getpid()) { true } == .all)
    }

    /// A page past the file's end is mapped and cannot be had.
    @Test("what cannot be read is said and harms nobody")
    func refusals() throws {
        let path = "/dev/shm/fermata-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let file = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        try #require(file >= 0)
        defer {
            close(file)
            unlink(path)
        }
        try #require(ftruncate(file, 4096) == 0)
        let memory = mmap(nil, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        let bytes = try #require(memory == MAP_FAILED ? nil : memory)
        defer { munmap(bytes, 16384) }
        #expect(ProcessPages.bringIn(path, of: getpid()) { true } == .refused(EFAULT))
    }
}
