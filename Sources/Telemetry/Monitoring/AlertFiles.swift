/// The alerts as the YAML files that Prometheus and promtool read.
package enum AlertFiles {
    private static let note = "# Written from the definitions in pgbastion; export them again instead of editing: pgbastion alerts export\n"

    /// A rule file of Prometheus.
    package static var rules: String {
        var text = note + "groups:\n"
        for group in AlertRules.groups {
            text += "  - name: \(group.name)\n    rules:\n" + group.rules.map(rule).joined(separator: "\n")
            if group.name != AlertRules.groups.last?.name { text += "\n" }
        }
        return text
    }

    private static func rule(_ rule: AlertRule) -> String {
        """
              - alert: \(rule.name)
                expr: \(expression(rule.expression))
                for: \(rule.hold)
                labels:
                  severity: \(rule.severity.rawValue)
                annotations:
                  summary: \(quoted(rule.summary))

        """ + (rule.advice.isEmpty ? "" : "          description: \(quoted(rule.advice))\n")
    }

    /// Plain where YAML reads it as it stands, as in the guide.
    private static func expression(_ text: String) -> String {
        text.contains("\"") || text.contains(": ") || text.contains(" #") ? "'\(text.replacing("'", with: "''"))'" : text
    }

    private static func quoted(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    /// Unit tests of the rules, for `promtool test rules`.
    ///
    /// - Parameter rulesFile: Its name, beside the file of the tests.
    package static func tests(rulesFile: String) -> String {
        var text = note + "rule_files:\n  - \(rulesFile)\n\nevaluation_interval: 1m\n\ntests:\n"
        for group in AlertRules.groups {
            for rule in group.rules {
                for (number, example) in rule.examples.enumerated() { text += test(rule, number, example) }
            }
        }
        return text
    }

    private static func test(_ rule: AlertRule, _ number: Int, _ example: AlertRule.Example) -> String {
        // `increase(...[1m])` needs more than one sample a minute.
        let interval = rule.expression.contains("[1m]") ? "15s" : "1m"
        var text = """
              - name: "\(rule.name) \(number + 1): \(example.firing.isEmpty ? "quiet" : "fires")"
                interval: \(interval)
                input_series:

            """
        for series in example.series {
            text += "      - series: '\(series.name)'\n        values: '\(series.values)'\n"
        }
        text += "    alert_rule_test:\n      - eval_time: \(example.at)\n        alertname: \(rule.name)\n"
        guard !example.firing.isEmpty else { return text + "        exp_alerts: []\n\n" }
        text += "        exp_alerts:\n"
        for labels in example.firing { text += expected(rule, labels) }
        return text + "\n"
    }

    private static func expected(_ rule: AlertRule, _ labels: [String: String]) -> String {
        var text = "          - exp_labels:\n"
        for (name, value) in labels.merging(["severity": rule.severity.rawValue], uniquingKeysWith: { own, _ in own })
            .sorted(by: { $0.key < $1.key })
        {
            text += "              \(name): \(value)\n"
        }
        text += "            exp_annotations:\n              summary: \(quoted(rule.filledIn(rule.summary, labels)))\n"
        return text + (rule.advice.isEmpty ? "" : "              description: \(quoted(rule.advice))\n")
    }
}
