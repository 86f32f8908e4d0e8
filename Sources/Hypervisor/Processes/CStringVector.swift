import Glibc

/// A NULL-terminated array of C strings, as exec takes it.
final class CStringVector {
    private var strings: [UnsafeMutablePointer<CChar>?]
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    init(_ texts: [String]) {
        strings = texts.map { strdup($0) }
        pointer = .allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { (pointer + index).initialize(to: string) }
        (pointer + strings.count).initialize(to: nil)
    }

    var first: UnsafePointer<CChar>? { strings.first.flatMap { $0.map { UnsafePointer($0) } } }

    deinit {
        for string in strings { free(string) }
        pointer.deallocate()
    }
}
