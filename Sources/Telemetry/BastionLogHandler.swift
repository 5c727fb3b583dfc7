import ClusterModel
import Logging

/// The back end of swift-log: a sentence, then `event=NAME` and key-value pairs (section 5 of `acceptance.md`).
package struct BastionLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let control: LogControl
    /// Set on one logger only; nil follows the process.
    private var ownLevel: Logger.Level?

    package init(control: LogControl, metadataProvider: Logger.MetadataProvider? = nil) {
        self.control = control
        self.metadataProvider = metadataProvider
    }

    package var logLevel: Logger.Level {
        get { ownLevel ?? Logger.Level(control.level) }
        set { ownLevel = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let given = event.metadata { all.merge(given) { _, new in new } }
        if let error = event.error, all["error"] == nil { all["error"] = .string("\(error)") }
        control.writeAnyLevel(
            LogLine.Level(event.level), event.message.description, all.mapValues(\.description))
    }
}

extension LogLine.Level {
    /// swift-log's seven levels onto the four of `log.level`.
    package init(_ level: Logger.Level) {
        switch level {
        case .trace, .debug: self = .debug
        case .info, .notice: self = .info
        case .warning: self = .warn
        case .error, .critical: self = .error
        }
    }
}

extension Logger.Level {
    package init(_ level: LogLine.Level) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .warn: self = .warning
        case .error: self = .error
        }
    }
}
