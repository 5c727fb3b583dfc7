import Testing

/// The rules look at code only: this is what makes that true.
@Suite struct SwiftCodeTests {
    @Test func `comments and texts become blanks, interpolations stay`() {
        let source = ##"""
            let a = "x! \(b["k"]!) y" // c!
            /* d! /* e! */ f! */ let g = h!
            func `a! b`() { i("""
              j!
              """) }
            let k = #"l! \(m!) \#(n!)"#
            """##
        let code = SwiftCode.withoutTexts(source)
        #expect(code[0] == #"let a = "   \(b[" "]!)  "      "#)
        #expect(code[1].hasSuffix("let g = h!"))
        #expect(!code[1].contains("d!"))
        #expect(code[2] == "func       () { i(\"\"\"")
        #expect(!code[3].contains("!"))
        #expect(code[5].contains("n!") && !code[5].contains("m!"))
    }

    @Test func `an escaped quote does not end a text`() {
        #expect(SwiftCode.withoutTexts(#"a("\"x!\\") ; b!"#)[0].hasSuffix(") ; b!"))
        #expect(!SwiftCode.withoutTexts(#"a("\"x!\\")"#)[0].contains("x"))
    }

    @Test func `each rule catches what it names and nothing near it`() throws {
        let samples: [String: (caught: [String], fine: [String])] = [
            "try?": (["let a = try? b()"], ["let a = try b()"]),
            "try!": (["try! b()"], ["try b()"]),
            "as!": (["a as! B"], ["a as? B", "has != b"]),
            "force unwrap": (["a!", "f()!.x", "a[0]!", "x: Int!", "\"\"!"], ["a != b", "!a", "if !(a)"]),
            "print(": (["print(1)", "  print(x)"], ["terminal.print(x)", "fingerprint(x)"]),
            "Date()": (["Date()"], ["Date(timeIntervalSince1970: 0)", "myDate()"]),
            "unseeded randomness": (["Int.random(in: 0..<1)"], ["Int.random(in: 0..<1, using: &generator)"]),
            "Task.sleep in tests": (["try await Task.sleep(for: d)"], ["Task.yield()"]),
        ]
        for rule in ForbiddenCall.all {
            let pattern = try Regex(rule.pattern)
            let sample = try #require(samples[rule.name])
            for line in sample.caught { #expect(line.contains(pattern), "\(rule.name) misses \(line)") }
            for line in sample.fine { #expect(!line.contains(pattern), "\(rule.name) catches \(line)") }
        }
    }
}
