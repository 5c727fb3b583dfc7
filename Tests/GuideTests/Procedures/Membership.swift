/// Cluster Bootstrap, Adding a Node, Removing a Node.
extension GuideCluster {
    func bootstrapFirst() throws {
        try run.block("Cluster Bootstrap / First Node (Bootstrap)", 1) { block in
            try block.run(1, on: first)
            try block.run(2, on: first)
            // `systemctl start` has returned: it is so now.
            let state = try block.run(3, on: first)
            try hold(state.contains("\"state\": \"Leader\"") && state.contains("\"is_leader\": true"), state)
        }
        try eventually("node1 to be the primary") { try primary() == "node1" }
        try prepareRows()
        try write("bootstrap", through: first)
        // From here on other machines are asked by their names as well (GD1).
        try configure(first, bootstrap: true)
        try first.succeed("systemctl restart pgbastion")
    }

    func bootstrapAdditional() throws {
        let second = lab["node2"]
        try run.block("Cluster Bootstrap / Additional Nodes", 1) { block in
            let text = try block.run(1, on: second)
            try hold(text.isEmpty, text)
            // "... rest of config same as node1"
            block.note("the rest of the configuration is that of node1, as the block says")
            try configure(second)
            try block.run(2, on: second)
            let added = try block.run(3, on: first)
            try hold(added.contains("\"status\":\"peer added\"") || added.contains("\"status\": \"peer added\""), added)
            let peers = try block.run(4, on: first)
            try hold(peers.contains("\"id\": \"node2\""), peers)
        }
        try settled(["node1", "node2"])
        try eventually("the row on node2") { try rows(on: second) == ["bootstrap"] }
    }

    func addNode() throws {
        let third = lab["node3"]
        try configure(third)
        try third.succeed("systemctl start pgbastion")
        try run.block("Adding a Node", 1) { block in
            let leader = try lab[leader()]
            let output = try block.run(on: leader)
            try hold(output.contains("peer added") && output.contains("\"node3\""), output)
        }
        try settled()
        try write("three nodes", through: third)
    }

    func removeNode() throws {
        try formed()
        try makePrimary("node3")
        let third = lab["node3"]
        try run.block("Removing a Node", 1) { block in
            // A person answers the question that the command asks.
            let ask = GuideRun.Substitution(
                text: "pgbastion switchover --to node2",
                replacement: "printf 'y\\n' | script -qec 'pgbastion switchover --to node2' /dev/null")
            try block.run(1, on: first, substituting: [ask])
            try eventually("node2 to be the primary") { try primary() == "node2" }
            try block.run(2, on: third)
            let removed = try block.run(3, on: lab[leader()])
            try hold(removed.contains("peer removed"), removed)
            try block.run(4, on: third)
        }
        try eventually("two members") { try members() == ["node1", "node2"] }
        try eventually("node3 to have no slot", seconds: 30) {
            try first.ask("/cluster/replication", "[.replication_slots[] | select(.name | contains(\"node3\"))] | length") == "0"
        }
        try settled(["node1", "node2"])
        try formed()
    }
}
