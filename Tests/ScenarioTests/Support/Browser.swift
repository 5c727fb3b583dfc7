import FoundationEssentials
import Glibc
import PostgresTestKit

/// A headless Chromium, driven over its debugging pipe: one page, looked at and used as a person would with a keyboard.
///
/// - Source: Chrome DevTools Protocol; messages on descriptors 3 and 4 end with a zero byte.
final class Browser {
    private let directory: String
    private let process: TestProcess
    private let input: Int32
    private let output: Int32
    private var session = ""
    private var nextID = 0
    private var received: [UInt8] = []
    /// What the page's console and the browser complained about.
    private(set) var complaints: [String] = []

    private struct Message: Decodable {
        struct Failure: Decodable { var message: String }
        struct Value: Decodable { var value: String? }
        struct Outcome: Decodable {
            struct Exception: Decodable { var text: String }
            var result: Value?
            var exceptionDetails: Exception?
            var data: String?
            var targetId: String?
            var sessionId: String?
        }
        struct Parameters: Decodable {
            struct Entry: Decodable {
                var level: String
                var text: String
                var url: String?
            }
            var entry: Entry?
        }
        var id: Int?
        var result: Outcome?
        var error: Failure?
        var params: Parameters?
    }

    init(width: Int, height: Int, dark: Bool = false) throws {
        directory = "/tmp/pgbastion-test-\(getpid())-browser"
        let pipes = (directory + "/in", directory + "/out")
        guard mkdir(directory, 0o700) == 0, mkfifo(pipes.0, 0o600) == 0, mkfifo(pipes.1, 0o600) == 0 else {
            throw ScenarioFailure("could not make \(directory)")
        }
        let flags = "--headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-dev-shm-usage --remote-debugging-pipe"
        process = TestProcess.start(
            ["/bin/bash", "-c", "exec chromium \(flags) --user-data-dir='\(directory)/profile' about:blank 3<'\(pipes.0)' 4>'\(pipes.1)'"],
            environment: ["PATH=/usr/bin:/bin", "HOME=\(directory)", "LC_ALL=C.UTF-8"], logFile: directory + "/chromium.log")
        // Read and write, so that opening does not wait for the other side.
        input = open(pipes.0, O_RDWR | O_CLOEXEC)
        output = open(pipes.1, O_RDWR | O_CLOEXEC)
        let target = try call("Target.createTarget", #"{"url":"about:blank"}"#, seconds: 60).targetId ?? ""
        session = try call("Target.attachToTarget", #"{"targetId":"\#(target)","flatten":true}"#).sessionId ?? ""
        for domain in ["Page", "Runtime", "Log"] { _ = try call("\(domain).enable") }
        _ = try call(
            "Emulation.setDeviceMetricsOverride", #"{"width":\#(width),"height":\#(height),"deviceScaleFactor":1,"mobile":false}"#)
        let scheme = dark ? "dark" : "light"
        _ = try call("Emulation.setEmulatedMedia", #"{"features":[{"name":"prefers-color-scheme","value":"\#(scheme)"}]}"#)
    }

    func stop() {
        close(input)
        close(output)
        kill(-process.pid, SIGKILL)
        _ = process.waitForExit()
        _ = Shell.run("rm -rf '\(directory)'")
    }

    func load(_ url: String) throws { _ = try call("Page.navigate", #"{"url":\#(quoted(url))}"#) }

    /// The value of a JavaScript expression as text.
    func evaluate(_ expression: String) throws -> String {
        let outcome = try call(
            "Runtime.evaluate", #"{"expression":\#(quoted("String(\(expression))")),"returnByValue":true,"awaitPromise":true}"#)
        if let exception = outcome.exceptionDetails { throw ScenarioFailure("\(expression): \(exception.text)") }
        return outcome.result?.value ?? ""
    }

    func text(_ selector: String) throws -> String {
        try evaluate("(document.querySelector(\(quoted(selector))) || {}).textContent || ''")
    }

    func isShown(_ selector: String) throws -> Bool {
        try evaluate("!!(document.querySelector(\(quoted(selector))) || {}).offsetParent") == "true"
    }

    /// A key with what it types; `Tab` and `Enter` move and press.
    func press(_ key: String) throws {
        let codes = ["Tab": (9, ""), "Enter": (13, "\r"), "Escape": (27, "")]
        let (code, typed) = codes[key] ?? (Int(key.utf8.first ?? 0), key)
        for type in ["keyDown", "keyUp"] {
            _ = try call(
                "Input.dispatchKeyEvent",
                #"{"type":"\#(type)","key":\#(quoted(key)),"windowsVirtualKeyCode":\#(code),"text":\#(quoted(type == "keyDown" ? typed : ""))}"#
            )
        }
    }

    func type(_ text: String) throws { _ = try call("Input.insertText", #"{"text":\#(quoted(text))}"#) }

    /// Presses Tab until the element has the focus.
    func tab(to selector: String) throws {
        for _ in 0..<40 {
            if try evaluate("document.activeElement.matches(\(quoted(selector)))") == "true" { return }
            try press("Tab")
        }
        throw ScenarioFailure("\(selector) cannot be reached with the Tab key")
    }

    func screenshot(to path: String) throws {
        guard let text = try call("Page.captureScreenshot", #"{"format":"png"}"#).data, let data = Data(base64Encoded: text) else {
            throw ScenarioFailure("no screenshot")
        }
        try data.write(to: URL(filePath: path))
    }

    // MARK: the protocol

    private func call(_ method: String, _ parameters: String = "{}", seconds: Int = 20) throws -> Message.Outcome {
        nextID += 1
        let place = session.isEmpty ? "" : #","sessionId":"\#(session)""#
        var bytes = Array(#"{"id":\#(nextID),"method":"\#(method)","params":\#(parameters)\#(place)}"#.utf8)
        bytes.append(0)
        let count = bytes.count
        guard write(input, bytes, count) == count else { throw ScenarioFailure("the browser does not read") }
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            guard let message = try next() else { continue }
            if let entry = message.params?.entry, entry.level == "error" { complaints.append("\(entry.text) \(entry.url ?? "")") }
            guard message.id == nextID else { continue }
            if let error = message.error { throw ScenarioFailure("\(method): \(error.message)") }
            return message.result ?? Message.Outcome()
        }
        throw ScenarioFailure("\(method): no answer; \(Shell.run("tail -n 3 '\(directory)/chromium.log'").output)")
    }

    /// The next whole message; nil when none came within half a second.
    private func next() throws -> Message? {
        while true {
            if let end = received.firstIndex(of: 0) {
                let bytes = Data(received[..<end])
                received.removeSubrange(...end)
                return try JSONDecoder().decode(Message.self, from: bytes)
            }
            var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 500) > 0 else { return nil }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = read(output, &buffer, buffer.count)
            guard count > 0 else { throw ScenarioFailure("the browser has ended") }
            received += buffer[..<count]
        }
    }

    private func quoted(_ text: String) -> String {
        do { return String(decoding: try JSONEncoder().encode(text), as: UTF8.self) } catch { return "\"\"" }
    }
}
