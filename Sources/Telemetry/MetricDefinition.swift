/// One metric as `docs/reference/` and the metrics page show it.
package struct MetricDefinition: Sendable, Hashable {
    /// Without the prefix `pgbastion_`.
    package var name: String
    package var kind: Kind
    package var help: String
    /// Names of the labels besides `cluster`, in the order of the label values everywhere.
    package var labels: [String]
    /// Label values known in advance: these series exist from the start with 0.
    package var known: [[String]]

    package enum Kind: Sendable, Hashable {
        case gauge
        case counter
        /// Upper bounds in ascending order, without +Inf.
        case histogram([Double])

        var word: String {
            switch self {
            case .gauge: "gauge"
            case .counter: "counter"
            case .histogram: "histogram"
            }
        }
    }

    /// A metric without labels of its own has one series, and it exists from the start.
    init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = [], known: [[String]]? = nil) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.known = known ?? (labels.isEmpty ? [[]] : [])
    }

    /// All combinations of the values of several labels.
    static func each(_ values: [String]...) -> [[String]] {
        values.reduce([[]]) { rows, column in rows.flatMap { row in column.map { row + [$0] } } }
    }

    /// Powers of two between two bounds.
    static func doubling(from low: Double, to high: Double) -> [Double] {
        var bounds = [low]
        while let last = bounds.last, last < high { bounds.append(min(last * 2, high)) }
        return bounds
    }
}

extension MetricDefinition {
    /// The names of its samples on the page.
    package var sampleNames: [String] {
        let full = MetricCatalogue.prefix + name
        switch kind {
        case .gauge, .counter: return [full]
        case .histogram: return [full + "_bucket", full + "_sum", full + "_count"]
        }
    }
}
