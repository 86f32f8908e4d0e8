import Glibc
import JSON
import Testing

@Suite struct JSONMemoryTests {
    /// Pages of this process in memory.
    private static func residentBytes() -> Int? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var size = 0
        var resident = 0
        let count = withUnsafeMutablePointer(to: &size) { size in
            withUnsafeMutablePointer(to: &resident) { resident in
                withVaList([size, resident]) { vfscanf(file, "%ld %ld", $0) }
            }
        }
        return count == 2 ? resident * Int(getpagesize()) : nil
    }

    private static var isSanitized: Bool { dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil }

    @Test(.disabled(if: isSanitized, "sanitizers keep memory of their own: leak detection is on in the fuzz target"))
    func `hundreds of documents, whole, broken and abandoned, leave no memory behind`() throws {
        let body = (0..<200).map { "{\"name\":\"field\($0)\",\"size\":\($0),\"name\":[1.5,null,\"é\"]}" }
        let whole = Array("[\(body.joined(separator: ","))]".utf8)
        func round() throws {
            var parser = JSONStreamParser()
            parser.append(whole)
            let first = try parser.next()
            #expect(first != nil)
            parser.append(whole.dropLast(20) + [0xff])
            #expect(throws: JSONError.self) { try parser.next() }
            var abandoned = JSONStreamParser()
            abandoned.append(whole.dropLast(1))
            let value = try abandoned.next()
            #expect(value == nil)
            #expect(throws: JSONError.self) {
                try JSONValue.array([.string(String(repeating: "x", count: 5_000)), .double(.nan)]).encoded()
            }
        }
        for _ in 0..<50 { try round() }
        let before = try #require(Self.residentBytes())
        // A round builds a tree of 400 containers, some 200 KB. The bound leaves room for the tests that run beside this one.
        for _ in 0..<400 { try round() }
        let after = try #require(Self.residentBytes())
        #expect(after - before < 40 << 20, "grew by \((after - before) >> 10) KiB")
    }
}
