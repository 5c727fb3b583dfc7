import Operations

/// The plan for people: checks, steps, what is different afterwards.
extension RunPlan {
    package var text: String {
        var lines = ["plan of runbook \(document["runbook"]?["name"]?.string ?? "")"]
        let params = document["params"]?.members ?? []
        if !params.isEmpty { lines.append("  with " + params.map { "\($0.name)=\($0.value.plainText)" }.joined(separator: " ")) }
        section("preconditions", document["preconditions"], &lines, RunPlan.check)
        section("steps", document["steps"], &lines, RunPlan.stepLines)
        section("postconditions", document["postconditions"], &lines, RunPlan.check)
        section("always", document["always"], &lines, RunPlan.stepLines)
        section("afterwards", document["final_state_diff"], &lines) { ["  \(RunPlan.change($0))"] }
        section("warnings", document["warnings"], &lines) { ["  \($0.plainText)"] }
        switch exitStatus {
        case 0: lines.append("feasible; nothing was changed")
        case 2: lines.append("not certain: see above; nothing was changed")
        default: lines.append("a precondition blocks; nothing was changed")
        }
        return lines.joined(separator: "\n")
    }

    private func section(_ title: String, _ list: JSONValue?, _ lines: inout [String], _ form: (JSONValue) -> [String]) {
        guard let elements = list?.elements, !elements.isEmpty else { return }
        lines.append(title)
        for element in elements { lines += form(element) }
    }

    private static func check(_ value: JSONValue) -> [String] {
        let status = value["status"]?.string ?? ""
        let level = value["level"]?.string == "warn" ? " (warning)" : ""
        let message = status == "pass" ? "" : ": \(value["message"]?.string ?? "")"
        return ["  \(status.padded(8))\(value["id"]?.string ?? "")\(level)\(message)"]
    }

    private static func stepLines(_ value: JSONValue) -> [String] {
        let item = value["item"]?.string.map { "[\($0)]" } ?? ""
        let name = "\(value["id"]?.string ?? "")\(item)"
        if value["skipped"] == .bool(true) { return ["  skip    \(name)"] }
        let what = value["operation"]?.string ?? value["kind"]?.string ?? ""
        let args = (value["args"]?.members ?? []).map { "\($0.name)=\($0.value.plainText)" }.joined(separator: " ")
        let mark = value["point_of_no_return"] == .bool(true) ? "  (point of no return)" : ""
        var lines = ["  \(name)  \(what)\(args.isEmpty ? "" : " \(args)")\(mark)"]
        for change in value["changes"]?.elements ?? [] { lines.append("          \(RunPlan.change(change))") }
        for check in value["checks"]?.elements ?? [] where check["status"] != .string("pass") {
            lines.append("          \(check["status"]?.string ?? "") \(check["id"]?.string ?? ""): \(check["message"]?.string ?? "")")
        }
        if let undo = value["undo"]?.string, undo != "none" { lines.append("          undo: \(undo)") }
        return lines
    }

    private static func change(_ value: JSONValue) -> String {
        "\(value["path"]?.string ?? "")  \(value["before"]?.plainText ?? "") -> \(value["after"]?.plainText ?? "")"
    }
}

extension String {
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
