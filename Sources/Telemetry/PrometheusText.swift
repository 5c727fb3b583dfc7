/// Prometheus's text format, version 0.0.4.
///
/// - Source: Prometheus documentation, "Exposition formats".
package struct PrometheusText {
    /// The content type of the page.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""
    private let clusterLabel: String

    init(cluster: String) { clusterLabel = "cluster=\"\(PrometheusText.escaped(cluster))\"" }

    mutating func append(_ family: MetricsRegistry.Family) {
        let definition = family.definition
        let name = MetricCatalogue.prefix + definition.name
        text += "# HELP \(name) \(PrometheusText.escapedHelp(definition.help))\n"
        text += "# TYPE \(name) \(definition.kind.word)\n"
        for (values, series) in family.all {
            let labels = zip(definition.labels, values).reduce(into: clusterLabel) { text, pair in
                text += ",\(pair.0)=\"\(PrometheusText.escaped(pair.1))\""
            }
            append(name, labels, series)
        }
    }

    private mutating func append(_ name: String, _ labels: String, _ series: MetricsRegistry.Series) {
        switch series {
        case .gauge(let gauge): text += "\(name){\(labels)} \(PrometheusText.number(gauge.value))\n"
        case .counter(let counter): text += "\(name){\(labels)} \(counter.value)\n"
        case .histogram(let histogram): append(name, labels, histogram)
        }
    }

    private mutating func append(_ name: String, _ labels: String, _ histogram: HistogramSeries) {
        let content = histogram.snapshot
        var total: UInt64 = 0
        for (bound, count) in zip(histogram.bounds + [.infinity], content.counts) {
            total += count
            text += "\(name)_bucket{\(labels),le=\"\(PrometheusText.number(bound))\"} \(total)\n"
        }
        text += "\(name)_sum{\(labels)} \(PrometheusText.number(content.sum))\n"
        text += "\(name)_count{\(labels)} \(total)\n"
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }

    static func escaped(_ label: String) -> String {
        var out = ""
        for character in label.unicodeScalars {
            switch character {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    private static func escapedHelp(_ help: String) -> String {
        help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }
}
