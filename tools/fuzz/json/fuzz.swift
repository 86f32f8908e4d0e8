import JSON

/// The first byte says where the rest is cut in two. Both ways must give the same; what was accepted must come through
/// writing and reading unchanged.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let text = input.dropFirst()
    let cut = text.startIndex + Int(first) % (text.count + 1)
    let limits = JSONLimits(depth: 32, documentBytes: 4096)
    let whole = Result { () throws(JSONError) in try read([text], limits) }
    let split = Result { () throws(JSONError) in try read([text[..<cut], text[cut...]], limits) }
    precondition(whole == split, "the cut at \(cut) changes the result")
    switch whole {
    case .success(let values):
        for value in values {
            for style in [JSONValue.Style.compact, .pretty] {
                guard let bytes = try? value.encoded(style) else { preconditionFailure("cannot be written: \(value)") }
                let again = try? JSONValue(parsing: bytes, limits: JSONLimits(depth: 32))
                precondition(again == value, "read \(value), wrote \(bytes)")
            }
        }
    case .failure(let error):
        precondition((0...text.count).contains(error.offset), "offset \(error.offset) of \(text.count)")
        if case .library(let reason) = error.code { preconditionFailure("json-c and the lexer disagree: \(reason)") }
    }
    return 0
}

private func read(_ pieces: [ArraySlice<UInt8>], _ limits: JSONLimits) throws(JSONError) -> [JSONValue] {
    var parser = JSONStreamParser(limits: limits)
    var values: [JSONValue] = []
    for piece in pieces {
        parser.append(piece)
        while let value = try parser.next() { values.append(value) }
    }
    if let last = try parser.finish() { values.append(last) }
    return values
}
