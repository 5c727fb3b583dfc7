/// One alert as Prometheus reads it, with the series that prove it in `promtool test rules`.
package struct AlertRule: Sendable {
    package enum Severity: String, Sendable { case info, warning, critical }

    package var name: String
    package var expression: String
    /// How long it must hold, as Prometheus writes it.
    package var hold: String
    package var severity: Severity
    /// One line; `{{ $labels.NAME }}` is replaced by the label.
    package var summary: String
    /// What it means and what to do; empty for the guide's own three rules, which are kept word by word.
    package var advice: String
    package var examples: [Example]

    /// Input series, a moment, and the labels with which the alert fires then; no labels: it is quiet.
    package struct Example: Sendable {
        package var series: [(name: String, values: String)]
        package var at: String
        package var firing: [[String: String]]
    }

    init(
        _ name: String, _ expression: String, for hold: String = "0m", _ severity: Severity, _ summary: String,
        _ advice: String, _ examples: [Example]
    ) {
        self.name = name
        self.expression = expression
        self.hold = hold
        self.severity = severity
        self.summary = summary
        self.advice = advice
        self.examples = examples
    }

    /// `text` with the labels put in, as Prometheus does.
    func filledIn(_ text: String, _ labels: [String: String]) -> String {
        labels.reduce(text) { $0.replacing("{{ $labels.\($1.key) }}", with: $1.value) }
    }
}

extension AlertRule.Example {
    /// - Parameters:
    ///   - series: Names without the prefix and the label `cluster`, with their values in promtool's notation.
    ///   - labels: Further labels of the alert beside `cluster`.
    static func fires(_ at: String, _ labels: [String: String], _ series: KeyValuePairs<String, String>) -> Self {
        .init(
            series: series.map { (full($0.key), $0.value) }, at: at,
            firing: [labels.merging(["cluster": "main"]) { own, _ in own }])
    }

    static func fires(_ at: String, _ series: KeyValuePairs<String, String>) -> Self { fires(at, [:], series) }

    static func quiet(_ at: String, _ series: KeyValuePairs<String, String>) -> Self {
        .init(series: series.map { (full($0.key), $0.value) }, at: at, firing: [])
    }

    /// `paused` is `pgbastion_paused{cluster="main"}`; `up{...}` is Prometheus's own.
    private static func full(_ name: String) -> String {
        guard !name.hasPrefix("up{") else { return name }
        let parts = name.split(separator: "{", maxSplits: 1)
        let labels = parts.count == 2 ? "," + parts[1].dropLast() : ""
        return "\(MetricCatalogue.prefix)\(parts[0]){cluster=\"main\"\(labels)}"
    }
}

/// Alerts that belong together.
package struct AlertGroup: Sendable {
    package var name: String
    package var rules: [AlertRule]
}
