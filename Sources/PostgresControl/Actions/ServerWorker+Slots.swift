import ClusterModel

extension ServerWorker {
    /// AG20, for the slots of members only: other slots are never touched (D54).
    func ensureSlots(keep: [String], drop: [String]) async throws(BastionError) {
        let table = try await query(
            """
            SELECT slot_name, slot_type, active, wal_status, restart_lsn IS NULL, xmin IS NOT NULL,
              pg_is_in_recovery() FROM pg_replication_slots
            """, "list the replication slots")
        let existing = Dictionary(table.rows.map { ($0[0] ?? "", $0) }) { first, _ in first }
        let recovery = try await query("SELECT pg_is_in_recovery()", "ask for the server's role").value == "t"
        for name in drop where existing[name]?[1] == "physical" { try await dropUnowned(name) }
        for name in keep {
            var isThere = false
            if let slot = existing[name] {
                guard slot[1] == "physical" else {
                    throw BastionError(.failed, "cannot use slot \"\(name)\": it is a logical slot")
                }
                // D55: on a replica nobody is connected who could own the xmin of an unused slot.
                let isUseless = slot[3] == "lost" || (recovery && slot[5] == "t")
                isThere = !(isUseless && slot[2] == "f")
                if !isThere { try await dropSlot(name) }
            }
            if !isThere {
                try await query(
                    "SELECT pg_create_physical_replication_slot(\(ServerWorker.literal(name)), true)",
                    "make slot \"\(name)\"")
            } else if recovery, existing[name]?[2] == "f" {
                try await advance(name)
            }
        }
    }

    /// A removed member's PostgreSQL may still run and stream: its session is ended first, and it connects again after a moment.
    private func dropUnowned(_ name: String) async throws(BastionError) {
        for _ in 0..<20 {
            let ended = try await query(
                """
                SELECT pg_terminate_backend(active_pid), pg_sleep(0.05) FROM pg_replication_slots
                WHERE slot_name = \(ServerWorker.literal(name)) AND active
                """, "end the session of slot \"\(name)\"")
            if ended.rows.isEmpty { break }
        }
        try await dropSlot(name)
    }

    private func dropSlot(_ name: String) async throws(BastionError) {
        try await query(
            "SELECT pg_drop_replication_slot(\(ServerWorker.literal(name)))", "drop slot \"\(name)\"")
    }

    /// A slot of a replica keeps no more WAL than a member could need after a promotion here.
    private func advance(_ name: String) async throws(BastionError) {
        try await query(
            """
            SELECT pg_replication_slot_advance(slot_name, pg_last_wal_replay_lsn()) FROM pg_replication_slots
            WHERE slot_name = \(ServerWorker.literal(name)) AND NOT active
              AND (restart_lsn IS NULL OR restart_lsn < pg_last_wal_replay_lsn())
            """, "advance slot \"\(name)\"")
    }
}
