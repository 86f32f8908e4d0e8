import Archive
import FoundationEssentials

/// The first byte says whether the rest is read as an archive's head or as its index. What was accepted has sizes that can be, and
/// comes through writing and reading unchanged.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzArchive(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let text = Array(input.dropFirst())
    if first.isMultiple(of: 2) {
        guard let head = try? ArchiveHead(parsing: text) else { return 0 }
        precondition(head.archive == ArchiveFormat.kind && (1...ArchiveFormat.current).contains(head.format))
        precondition(head.files >= 0 && head.dataBytes <= head.bytes && head.bytes <= UInt64(Int64.max))
        guard let bytes = try? JSONEncoder().encode(head), let again = try? ArchiveHead(parsing: Array(bytes)) else {
            preconditionFailure("cannot be written: \(head)")
        }
        precondition(again == head)
    } else {
        guard let index = try? ArchiveIndex(parsing: text) else { return 0 }
        guard let bytes = try? JSONEncoder().encode(index), let again = try? ArchiveIndex(parsing: Array(bytes)) else {
            preconditionFailure("cannot be written: \(index)")
        }
        precondition(again == index)
    }
    return 0
}
