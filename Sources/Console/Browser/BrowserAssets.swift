import CConsoleAssets
import Crypto
import HTTPTypes
import Hummingbird

/// The files of the web console, which are part of the program. They hold no secret: whoever reaches the port may have them.
struct BrowserAssets: Sendable {
    struct Asset: Sendable {
        let bytes: ByteBuffer
        let type: String
        /// Of the bytes.
        let tag: String
    }

    /// By the path of their URL, the start page by "/", too.
    private let byPath: [String: Asset]

    static let embedded = BrowserAssets()

    var paths: [String] { byPath.keys.sorted() }

    private init() {
        var byPath: [String: Asset] = [:]
        for index in 0..<fermata_asset_count() {
            guard let file = fermata_asset_at(index)?.pointee, let name = file.name else { continue }
            let path = "/" + String(cString: name)
            let bytes = ByteBuffer(bytes: UnsafeBufferPointer(start: file.bytes, count: file.size))
            let digest = SHA256.hash(data: Array(bytes.readableBytesView))
            let digits = digest.prefix(12).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            byPath[path] = Asset(bytes: bytes, type: Self.type(of: path), tag: "\"\(digits)\"")
        }
        byPath["/"] = byPath["/index.html"]
        self.byPath = byPath
    }

    /// - Returns: nil: there is no such file. Names are compared as they stand: nothing is decoded, and no folder is looked into.
    func response(to request: Request) -> Response? {
        guard let asset = byPath[request.uri.path] else { return nil }
        guard request.method == .get || request.method == .head else {
            return Answer.problem(
                .methodNotAllowed(request.method.rawValue, request.uri.path, allowed: ["GET", "HEAD"])
            )
        }
        // A daemon of another release may answer next: a browser asks each time, and gets nothing if nothing is new.
        var headers: HTTPFields = [.contentType: asset.type, .eTag: asset.tag, .cacheControl: "no-cache"]
        let known = request.headers[.ifNoneMatch]?.split(separator: ",").map { $0.drop { $0 == " " } } ?? []
        if known.contains(where: { $0 == asset.tag || $0 == "*" }) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentLength] = "\(asset.bytes.readableBytes)"
        let response = Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: asset.bytes))
        return request.method == .head ? response.createHeadResponse() : response
    }

    private static func type(of path: String) -> String {
        switch path.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "json", "map": "application/json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "ico": "image/x-icon"
        case "webp": "image/webp"
        case "woff2": "font/woff2"
        case "webmanifest": "application/manifest+json"
        case "txt", "md": "text/plain; charset=utf-8"
        default: "application/octet-stream"
        }
    }
}
