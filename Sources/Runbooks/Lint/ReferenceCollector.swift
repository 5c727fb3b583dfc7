/// Every reference in a runbook.
enum ReferenceCollector {
    static func references(of runbook: Runbook) -> [Reference] {
        let steps = (runbook.steps + runbook.always).flatMap(\.withInner)
        return runbook.vars.flatMap(\.value.references) + (runbook.lock?.references ?? [])
            + runbook.parameters.flatMap { $0.filter.map(of) ?? [] }
            + (runbook.preconditions + runbook.postconditions).flatMap { entry in
                of(entry.condition) + (entry.message?.references ?? []) + (entry.hint?.references ?? [])
            } + steps.flatMap(of)
    }

    private static func of(_ step: RunbookStep) -> [Reference] {
        let conditions = [step.when, step.skipIf, step.expect].compactMap { $0 }.flatMap(of)
        var undo: [Reference] = []
        if case .run(let call)? = step.undo?.value { undo = call.arguments.flatMap(\.value.references) }
        return conditions + undo + (step.context?.references ?? []) + of(step.kind)
    }

    private static func of(_ kind: RunbookStep.Kind) -> [Reference] {
        switch kind {
        case .run(let call): call.arguments.flatMap(\.value.references)
        case .wait(let wait): of(wait.until)
        case .assert(let condition, let message): of(condition) + (message?.references ?? [])
        case .confirm(let message, let type): (message?.references ?? []) + (type?.references ?? [])
        case .manual(let manual):
            manual.instructions.references + manual.exec.flatMap(\.references) + (manual.doneWhen.map(of) ?? [])
                + manual.simulate.flatMap(of) + manual.sandbox.flatMap { $0.arguments.flatMap(\.value.references) }
        case .forEach(let loop): of(loop)
        case .call(let call): call.params.flatMap(\.value.references)
        }
    }

    private static func of(_ loop: ForEach) -> [Reference] {
        let between = loop.between.map { of($0.condition) } ?? []
        switch loop.items {
        case .nodes(let filter): return of(filter) + between
        case .list(let list): return list.references + between
        }
    }

    private static func of(_ patch: StatePatch) -> [Reference] {
        switch patch.change {
        case .set(let value), .append(let value): patch.path.references + value.references
        case .remove: patch.path.references
        }
    }

    static func of(_ condition: Condition) -> [Reference] {
        switch condition.kind {
        case .path(let path, let comparison): path.references + of(comparison)
        case .value(let template, let comparison): template.references + of(comparison)
        case .check(let call): call.arguments.flatMap(\.value.references)
        case .all(let conditions), .any(let conditions): conditions.flatMap(of)
        case .not(let inner): of(inner)
        }
    }

    private static func of(_ comparison: Comparison) -> [Reference] {
        switch comparison.operand {
        case .value(let value): value.references
        case .elements(.comparison(let inner), _): of(inner)
        case .elements(.filter(let filter), _): of(filter)
        case .count(let number, let filter): of(number) + (filter.map(of) ?? [])
        }
    }

    private static func of(_ filter: StateFilter) -> [Reference] {
        filter.entries.flatMap { $0.field.references + of($0.comparison) }
    }
}
