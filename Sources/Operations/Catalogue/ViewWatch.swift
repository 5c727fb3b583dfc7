import ClusterModel

/// Views until a deadline: one for every change, and the present one again now and then, so that a condition on elapsed
/// time is looked at also when nothing changes.
enum ViewWatch {
    /// Limit: how often a change is looked at.
    private static let minimumInterval: Duration = .milliseconds(50)
    private static let repetition: Duration = .milliseconds(200)

    /// Ends after `limit`; at least one view is delivered.
    static func views(
        of gateway: any ClusterGateway, limit: Duration, interval: Duration? = nil
    ) -> AsyncStream<ClusterView> {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: limit)
        let repetition = min(interval ?? ViewWatch.repetition, max(limit, .milliseconds(1)))
        let (stream, continuation) = AsyncStream.makeStream(
            of: ClusterView.self, bufferingPolicy: .bufferingNewest(1))
        let watching = Task {
            continuation.yield(await gateway.view())
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await view in gateway.views(minimumInterval: interval ?? minimumInterval) {
                        continuation.yield(view)
                    }
                }
                group.addTask { await repeatViews(of: gateway, every: repetition, until: deadline, into: continuation) }
                // The repetition ends at the deadline, the changes never do by themselves.
                while clock.now < deadline, !Task.isCancelled { guard await group.next() != nil else { break } }
                group.cancelAll()
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in watching.cancel() }
        return stream
    }

    private static func repeatViews(
        of gateway: any ClusterGateway, every repetition: Duration, until deadline: ContinuousClock.Instant,
        into continuation: AsyncStream<ClusterView>.Continuation
    ) async {
        let clock = ContinuousClock()
        while clock.now < deadline {
            do {
                try await clock.sleep(until: min(deadline, clock.now.advanced(by: repetition)))
            } catch {
                return
            }
            continuation.yield(await gateway.view())
        }
    }

    /// The first value `match` finds within `limit`; nil when there was none.
    static func first<Found: Sendable>(
        of gateway: any ClusterGateway, limit: Duration, _ match: (ClusterView) -> Found?
    ) async -> Found? {
        for await view in views(of: gateway, limit: limit) {
            if let found = match(view) { return found }
        }
        return nil
    }
}
