import ClusterModel
import Synchronization

/// All metrics of a process, by name and label values (section 4 of `acceptance.md`).
///
/// Keep the series that `gauge`, `counter` and `histogram` return where a value changes often: a look-up costs a lock,
/// a change of a series does not.
package final class MetricsRegistry: Sendable {
    /// The value of the label `cluster` on all series.
    package let cluster: String
    private let families: [String: Family]
    private let order: [String]

    /// One metric with its series.
    final class Family: Sendable {
        let definition: MetricDefinition
        private let series = Mutex<[[String]: Series]>([:])

        init(_ definition: MetricDefinition) {
            self.definition = definition
            for values in definition.known { _ = find(values) }
        }

        func find(_ values: [String]) -> Series {
            precondition(
                values.count == definition.labels.count,
                "metric \(definition.name) has labels \(definition.labels), not the values \(values)")
            return series.withLock { series in
                if let found = series[values] { return found }
                let new = Series(definition.kind)
                series[values] = new
                return new
            }
        }

        func keep(where isKept: ([String]) -> Bool) {
            series.withLock { $0 = $0.filter { isKept($0.key) } }
        }

        /// In order of the label values.
        var all: [(values: [String], series: Series)] {
            series.withLock { $0 }.map { ($0.key, $0.value) }
                .sorted { $0.values.lexicographicallyPrecedes($1.values) }
        }
    }

    enum Series: Sendable {
        case gauge(GaugeSeries)
        case counter(CounterSeries)
        case histogram(HistogramSeries)

        init(_ kind: MetricDefinition.Kind) {
            switch kind {
            case .gauge: self = .gauge(GaugeSeries())
            case .counter: self = .counter(CounterSeries())
            case .histogram(let bounds): self = .histogram(HistogramSeries(bounds: bounds))
            }
        }
    }

    package init(cluster: String, catalogue: [MetricDefinition] = MetricCatalogue.all) {
        self.cluster = cluster
        order = catalogue.map(\.name)
        families = Dictionary(uniqueKeysWithValues: catalogue.map { ($0.name, Family($0)) })
    }

    /// - Parameters:
    ///   - name: Without the prefix. A name, kind or number of labels that is not in the catalogue stops the process.
    ///   - labels: Values in the order of the definition's labels.
    package func gauge(_ name: String, _ labels: String...) -> GaugeSeries {
        guard case .gauge(let series) = family(name).find(labels) else { wrongKind(name, "gauge") }
        return series
    }

    package func counter(_ name: String, _ labels: String...) -> CounterSeries {
        guard case .counter(let series) = family(name).find(labels) else { wrongKind(name, "counter") }
        return series
    }

    package func histogram(_ name: String, _ labels: String...) -> HistogramSeries {
        guard case .histogram(let series) = family(name).find(labels) else { wrongKind(name, "histogram") }
        return series
    }

    /// Makes the series of `name` exactly those of `values`: others, of nodes that have left, disappear.
    package func replaceGauges(_ name: String, with values: [[String]: Double]) {
        let family = family(name)
        for (labels, value) in values {
            guard case .gauge(let series) = family.find(labels) else { wrongKind(name, "gauge") }
            series.set(value)
        }
        family.keep { values[$0] != nil || family.definition.known.contains($0) }
    }

    /// Label values that became known after the start: every combination of them has its series, with 0 until it is set.
    package func introduce(_ name: String, each values: [String]...) {
        let family = family(name)
        let rows = values.reduce([[]]) { rows, column in rows.flatMap { row in column.map { row + [$0] } } }
        for row in rows { _ = family.find(row) }
    }

    /// 1 for the label value that holds now and 0 for the others known in advance (`raft_state`).
    package func setState(_ name: String, _ present: String) {
        for values in family(name).definition.known {
            guard case .gauge(let series) = family(name).find(values) else { wrongKind(name, "gauge") }
            series.set(values == [present])
        }
    }

    /// The metrics page in Prometheus's text format, version 0.0.4, in the order of the catalogue.
    package func render() -> String {
        var text = PrometheusText(cluster: cluster)
        for name in order { text.append(family(name)) }
        return text.text
    }

    private func family(_ name: String) -> Family {
        guard let family = families[name] else { preconditionFailure("metric \(name) is not in MetricCatalogue") }
        return family
    }

    private func wrongKind(_ name: String, _ kind: String) -> Never {
        preconditionFailure("metric \(name) is not a \(kind)")
    }
}
