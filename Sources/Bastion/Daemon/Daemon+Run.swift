import CLinux
import ClusterModel
import ConfigFiles
import Dispatch
import FailoverCore
import Glibc
import HTTPAPI
import NodeCore
import Operations
import PostgresControl
import ProxyServer
import RaftCore
import RaftIO
import VirtualIP

/// Start, ready, stop.
extension Daemon {
    /// Runs until a signal or a fatal error.
    ///
    /// - Parameter rejoin: Set for an empty node that asks to be taken back (ST11).
    /// - Returns: The exit status of the process.
    package func run(asking rejoin: RejoinRequest? = nil) async throws(BastionError) -> Int32 {
        signals.listen()
        try transport.start()
        try await proxy.start()
        address?.start()
        driver.start()
        guardLink?.start()
        let observing = Task { () -> Void in await postgres?.observe() }
        let keeping = Task { await self.pruneQuarantine() }
        let serving = Task { () -> BastionError? in
            do { try await self.api.run() } catch {
                return error as? BastionError ?? BastionError(.io, "the API ended", detail: "\(error)")
            }
            return nil
        }
        do throws(BastionError) { _ = try await api.waitUntilListening() } catch {
            await shutDown(observing, serving)
            throw error
        }
        effects.log(
            NodeEvent(.info, "daemon.started", "pgbastion \(BuildInformation.version) runs", ["node": configuration.node.name.rawValue]))
        let ready = Task { await self.announceReady() }
        let rejoining = Task { () -> Void in await rejoin?.run(self.transport, self.driver, self.effects) }
        let outcome = await signals.wait { self.reload() }
        ready.cancel()
        rejoining.cancel()
        keeping.cancel()
        return await finish(outcome, observing, serving)
    }

    /// P01: ready when this node knows a leader, or waits to be added; after 30 s in any case, so that `start` returns.
    private func announceReady() async {
        for _ in 0..<300 where !Task.isCancelled {
            if await driver.look({ $0.isSettled }) { break }
            do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
        }
        _ = pgb_notify("READY=1")
        effects.log(NodeEvent(.info, "daemon.ready", "ready"))
    }

    /// D49: directories that were replaced are kept for a while, not for ever.
    private func pruneQuarantine() async {
        guard let server = postgres?.server else { return }
        while !Task.isCancelled {
            do { try await Task.sleep(for: .seconds(15)) } catch { return }
            do throws(BastionError) {
                for path in try await server.pruneQuarantine() {
                    effects.log(NodeEvent(.warning, "postgres.old_data_removed", "a replaced data directory was removed", ["path": path]))
                }
            } catch {
                effects.log(NodeEvent(.warning, "postgres.old_data_not_removed", error.message, ["detail": error.detail ?? ""]))
            }
        }
    }

    private func reload() {
        do throws(BastionError) {
            let outcome = try live.reload(configurationPath, driver, logs)
            effects.log(
                NodeEvent(
                    .info, "daemon.reloaded", "configuration reloaded",
                    ["applied": outcome.applied.joined(separator: ","), "needs_restart": outcome.needsRestart.joined(separator: ",")]))
        } catch {
            effects.log(NodeEvent(.error, "daemon.reload_failed", error.message, ["detail": error.detail ?? ""]))
        }
    }

    /// 4.8: a stop asks the core first, which takes a restart hold or hands leadership over; at most 7 s.
    private func finish(_ outcome: DaemonSignals.Outcome, _ observing: Task<Void, Never>, _ serving: Task<BastionError?, Never>) async
        -> Int32
    {
        _ = pgb_notify("STOPPING=1")
        switch outcome {
        case .fatal(let error):
            effects.log(NodeEvent(.error, "daemon.fatal", error.message, ["detail": error.detail ?? ""]))
            await shutDown(observing, serving)
            return error.code.exitStatus
        case .stop: return await stop(.stop, observing, serving)
        case .restart(let milliseconds): return await stop(.restart(holdMilliseconds: milliseconds), observing, serving)
        }
    }

    private func stop(_ order: NodeInput, _ observing: Task<Void, Never>, _ serving: Task<BastionError?, Never>) async -> Int32 {
        driver.submit(order)
        await effects.waitForMayStop(atMost: .seconds(7))
        await shutDown(observing, serving)
        return 0
    }

    private func shutDown(_ observing: Task<Void, Never>, _ serving: Task<BastionError?, Never>) async {
        address?.stop()
        await api.stop()
        _ = await serving.value
        observing.cancel()
        await proxy.stop()
        driver.stop()
        await transport.stop()
        guardLink?.stop()
        storage.close()
        do throws(BastionError) { try GenerationFile(path: configuration.node.generationFile).noteStop(store) } catch {
            effects.log(NodeEvent(.warning, "generation.not_saved", error.message, ["detail": error.detail ?? ""]))
        }
        health.save()
    }
}
