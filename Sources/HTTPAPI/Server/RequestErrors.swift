import NIOHTTP1

/// Which errors of a connection come from what the client sent.
enum RequestErrors {
    static func isMalformed(_ error: any Error) -> Bool { error is HTTPParserError }
}
