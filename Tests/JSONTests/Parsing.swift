import JSON

/// All documents of a stream that comes in these pieces, and that ends after them.
func documents(in pieces: [ArraySlice<UInt8>], limits: JSONLimits = JSONLimits()) throws(JSONError) -> [JSONValue] {
    var parser = JSONStreamParser(limits: limits)
    var found: [JSONValue] = []
    for piece in pieces {
        parser.append(piece)
        while let value = try parser.next() { found.append(value) }
    }
    if let value = try parser.finish() { found.append(value) }
    return found
}

func documents(in text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) -> [JSONValue] {
    try documents(in: [Array(text.utf8)[...]], limits: limits)
}

/// The error of a stream, however it is cut; nil when there is none.
func failure(of bytes: [UInt8], limits: JSONLimits = JSONLimits()) -> JSONError? {
    do throws(JSONError) {
        _ = try documents(in: [bytes[...]], limits: limits)
        return nil
    } catch {
        return error
    }
}

func failure(of text: String, limits: JSONLimits = JSONLimits()) -> JSONError? {
    failure(of: Array(text.utf8), limits: limits)
}
