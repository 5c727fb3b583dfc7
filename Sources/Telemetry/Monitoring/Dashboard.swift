import FoundationEssentials

/// The Grafana dashboard: `docs/monitoring/pgbastion.dashboard.json` and `pgbastion alerts export` are written from it (M06).
package enum Dashboard {
    /// The file's text; import it in Grafana and choose the Prometheus data source.
    package static var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(DashboardDocument(panels: placed(DashboardPanel.all))), as: UTF8.self) + "\n"
        } catch {
            preconditionFailure("the dashboard cannot be encoded: \(error)")
        }
    }

    /// From left to right in rows of 24 columns.
    private static func placed(_ panels: [DashboardPanel]) -> [PanelDocument] {
        var (x, y, height) = (0, 0, 0)
        return panels.enumerated().map { index, panel in
            if x + panel.width > 24 {
                (x, y) = (0, y + height)
                height = 0
            }
            defer {
                x += panel.width
                height = max(height, panel.height)
            }
            return PanelDocument(panel, id: index + 1, x: x, y: y)
        }
    }
}

/// One panel: what it shows, how wide it is, and its queries with their legends.
package struct DashboardPanel: Sendable {
    enum Form: String, Sendable { case timeseries, stat, table, row, stateTimeline = "state-timeline" }

    package var title: String
    var form: Form
    var unit: String
    var width: Int
    var height: Int
    package var queries: [(expression: String, legend: String)]
    /// For states: value, word and colour.
    var words: [(value: Int, word: String, colour: String)]

    init(
        _ title: String, _ form: Form, unit: String = "short", width: Int = 12, height: Int = 8,
        words: [(value: Int, word: String, colour: String)] = [], _ queries: [(expression: String, legend: String)]
    ) {
        self.title = title
        self.form = form
        self.unit = unit
        self.width = width
        self.height = height
        self.queries = queries
        self.words = words
    }

    static func row(_ title: String) -> DashboardPanel { DashboardPanel(title, .row, width: 24, height: 1, []) }
}

// MARK: Grafana's own document, as far as it is used

private struct DashboardDocument: Encodable {
    struct Time: Encodable {
        var from = "now-6h"
        var to = "now"
    }
    struct Templating: Encodable { var list: [Variable] }
    struct Variable: Encodable {
        var name: String
        var label: String
        var type: String
        var query: String
        var datasource: Source?
        var refresh = 2
        var multi = false
    }
    var title = "pgbastion"
    var uid = "pgbastion"
    var tags = ["pgbastion", "postgresql"]
    var schemaVersion = 38
    var version = 1
    var editable = true
    var refresh = "10s"
    var timezone = "browser"
    var time = Time()
    var graphTooltip = 1
    var templating = Templating(list: [
        Variable(name: "datasource", label: "Data source", type: "datasource", query: "prometheus"),
        Variable(
            name: "cluster", label: "Cluster", type: "query", query: "label_values(pgbastion_build_info, cluster)",
            datasource: Source()),
    ])
    var panels: [PanelDocument]
}

private struct Source: Encodable {
    var type = "prometheus"
    var uid = "${datasource}"
}

private struct PanelDocument: Encodable {
    struct Place: Encodable { var h, w, x, y: Int }
    struct Target: Encodable {
        var datasource = Source()
        var expr: String
        var legendFormat: String
        var refId: String
        /// Tables show the present values only.
        var instant: Bool
        var format: String
    }
    struct Shown: Encodable {
        var text: String
        var color: String
        var index: Int
    }
    struct Mapping: Encodable {
        var type = "value"
        var options: [String: Shown]
    }
    struct Custom: Encodable {
        var fillOpacity: Int
        var lineWidth = 1
        var showPoints = "never"
    }
    struct Defaults: Encodable {
        var unit: String
        var mappings: [Mapping]
        var custom: Custom
        var min: Int?
    }
    struct FieldConfiguration: Encodable {
        var defaults: Defaults
        var overrides: [String] = []
    }
    struct Reduction: Encodable {
        var calcs = ["lastNotNull"]
        var values = false
    }
    struct Options: Encodable { var reduceOptions: Reduction? }

    var id: Int
    var title: String
    var type: String
    var gridPos: Place
    var datasource: Source
    var targets: [Target]
    var fieldConfig: FieldConfiguration
    var options: Options

    init(_ panel: DashboardPanel, id: Int, x: Int, y: Int) {
        self.id = id
        title = panel.title
        type = panel.form.rawValue
        gridPos = Place(h: panel.height, w: panel.width, x: x, y: y)
        datasource = Source()
        let isTable = panel.form == .table
        targets = zip("ABCDEFGH", panel.queries).map { letter, query in
            Target(
                expr: query.expression, legendFormat: query.legend, refId: String(letter), instant: isTable,
                format: isTable ? "table" : "time_series")
        }
        let words = panel.words.enumerated().map { index, word in
            ("\(word.value)", Shown(text: word.word, color: word.colour, index: index))
        }
        let mappings = words.isEmpty ? [] : [Mapping(options: Dictionary(uniqueKeysWithValues: words))]
        let fill = panel.form == .stateTimeline ? 80 : 8
        fieldConfig = FieldConfiguration(
            defaults: Defaults(
                unit: panel.unit, mappings: mappings, custom: Custom(fillOpacity: fill), min: panel.form == .timeseries ? 0 : nil))
        options = Options(reduceOptions: panel.form == .stat ? Reduction() : nil)
    }
}
