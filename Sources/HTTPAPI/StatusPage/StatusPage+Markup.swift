/// The document, with places for style and script.
extension StatusPage {
    static let markup = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>pgbastion</title>
        <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Cpath fill='%233b5bdb' d='M12 1 3 4v8c0 5 4 9 9 11 5-2 9-6 9-11V4z'/%3E%3C/svg%3E">
        <style>/*STYLE*/</style>
        </head>
        <body>
        <a class="skip" href="#main">Skip to the cluster</a>
        <header class="top">
          <div class="brand">
            <svg viewBox="0 0 24 24" width="26" height="26" aria-hidden="true"><path class="shield" d="M12 1 3 4v8c0 5 4 9 9 11 5-2 9-6 9-11V4z"/><path class="shield-mark" d="m8 12 3 3 5-6"/></svg>
            <h1><span id="cluster">pgbastion</span></h1>
            <span id="verdict" class="badge">connecting</span>
          </div>
          <div class="seen">
            <span id="live" class="dot" aria-hidden="true"></span><span id="seen" role="status">connecting to this node</span>
            <button id="access" type="button">Read only · enter token</button>
          </div>
        </header>
        <main id="main" tabindex="-1">
          <section id="findings" class="findings" aria-live="polite" hidden></section>
          <section class="cards" aria-label="Summary" id="cards"></section>
          <section id="running" class="panel running" aria-live="polite" hidden></section>
          <section id="runbook" class="panel running" aria-label="Running runbooks" hidden></section>
          <section class="panel" aria-labelledby="h-topology">
            <div class="head"><h2 id="h-topology">Topology</h2><div id="actions" class="actions" hidden></div></div>
            <div id="topology" class="topology"></div>
          </section>
          <section class="panel" aria-labelledby="h-nodes">
            <h2 id="h-nodes">Nodes</h2>
            <div class="scroll" tabindex="0" role="region" aria-labelledby="h-nodes"><table id="nodes"></table></div>
          </section>
          <div class="columns">
            <section class="panel" aria-labelledby="h-events">
              <h2 id="h-events">Events</h2>
              <ol id="events" class="events" tabindex="0" aria-label="Events, newest first"></ol>
            </section>
            <div class="stack">
              <section class="panel" aria-labelledby="h-sessions"><h2 id="h-sessions">Client connections</h2><div id="sessions"></div></section>
              <section class="panel" aria-labelledby="h-changes"><h2 id="h-changes">Recent changes</h2><div id="changes"></div></section>
              <section class="panel" aria-labelledby="h-runs" id="runs-panel" hidden><h2 id="h-runs">Recent runbooks</h2><div id="runs"></div></section>
              <section class="panel" aria-labelledby="h-backups" id="backup-panel" hidden><h2 id="h-backups">State backups</h2><div id="backups"></div></section>
            </div>
          </div>
        </main>
        <footer>Answered by <b id="node">this node</b> · <span id="version"></span> · <a href="/openapi.json">API</a></footer>
        <dialog id="dialog" aria-labelledby="dialog-title"><form method="dialog" id="form"></form></dialog>
        <noscript><p class="findings">This page needs JavaScript. The same facts: <code>pgbastion status</code>, or <a href="/cluster/state">/cluster/state</a>.</p></noscript>
        <script>/*SCRIPT*/</script>
        </body>
        </html>
        """#
}
