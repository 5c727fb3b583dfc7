/// Colours follow what the browser prefers, light or dark.
extension StatusPage {
    static let style = #"""
        :root {
          --ground: #f4f5f8; --panel: #fff; --line: #e2e5ec; --text: #1b2130; --soft: #5a6478; --faint: #8b94a7;
          --accent: #3b5bdb; --good: #1b7f4d; --good-soft: #e3f4ea; --warn: #9a5b00; --warn-soft: #fdf0d9;
          --bad: #c0272d; --bad-soft: #fce6e6; --info-soft: #e8ecfd; --shadow: 0 1px 2px #1b213014, 0 4px 14px #1b21300a;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #10131a; --panel: #191e28; --line: #2b3240; --text: #e8ebf2; --soft: #a3adbf; --faint: #76819a;
            --accent: #8ea2ff; --good: #5fd497; --good-soft: #16362a; --warn: #f2b656; --warn-soft: #3a2d14;
            --bad: #ff7f7f; --bad-soft: #421f23; --info-soft: #222b4d; --shadow: none;
          }
        }
        * { box-sizing: border-box; }
        html { font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; background: var(--ground); color: var(--text); }
        body { margin: 0; min-height: 100vh; }
        h1, h2, h3, p, ol, dl, dd { margin: 0; padding: 0; }
        h1 { font-size: 1.25rem; letter-spacing: -.01em; }
        h2 { font-size: .78rem; font-weight: 650; text-transform: uppercase; letter-spacing: .06em; color: var(--soft); }
        code, .mono { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, monospace; font-size: .88em; }
        a { color: var(--accent); }
        [hidden] { display: none !important; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
        .skip { position: absolute; left: -999px; padding: .6rem 1rem; background: var(--panel); }
        .skip:focus { left: 1rem; top: .5rem; z-index: 9; }
        .top { display: flex; flex-wrap: wrap; gap: .6rem 1.5rem; align-items: center; justify-content: space-between;
          padding: .9rem clamp(1rem, 3vw, 2.2rem); background: var(--panel); border-bottom: 1px solid var(--line); }
        .brand, .seen { display: flex; align-items: center; gap: .7rem; }
        .seen { color: var(--soft); font-size: .9rem; }
        .seen button { margin-left: .8rem; }
        .shield { fill: var(--accent); } .shield-mark { fill: none; stroke: var(--panel); stroke-width: 2.4; stroke-linecap: round; stroke-linejoin: round; }
        main { display: grid; gap: 1rem; padding: 1.2rem clamp(1rem, 3vw, 2.2rem) 2rem; max-width: 1400px; margin: 0 auto; outline: none; }
        main > *, .columns > *, .stack > * { min-width: 0; }
        .panel, .card { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow); }
        .panel { padding: 1rem 1.2rem 1.2rem; }
        .panel > h2 { margin-bottom: .8rem; }
        .head { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .6rem; min-height: 2.1rem; }
        .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 1rem; }
        .card { padding: .85rem 1.1rem .95rem; }
        .card .value { font-size: 1.3rem; font-weight: 650; letter-spacing: -.01em; margin: .15rem 0 .1rem; overflow-wrap: anywhere; }
        .card .note { color: var(--soft); font-size: .86rem; }
        .card.bad { border-color: var(--bad); } .card.bad .value { color: var(--bad); }
        .card.warn .value { color: var(--warn); }
        .pips { display: inline-flex; gap: 4px; margin-right: .5rem; vertical-align: 3px; }
        .pips i { width: 10px; height: 10px; border-radius: 3px; background: var(--good); }
        .pips i.off { background: none; border: 2px solid var(--bad); }
        .badge { display: inline-block; padding: .1rem .6rem; border-radius: 99px; font-size: .8rem; font-weight: 650; white-space: nowrap;
          background: var(--info-soft); color: var(--accent); }
        .badge.good { background: var(--good-soft); color: var(--good); } .badge.warn { background: var(--warn-soft); color: var(--warn); }
        .badge.bad { background: var(--bad-soft); color: var(--bad); } .badge.plain { background: none; border: 1px solid var(--line); color: var(--soft); }
        .dot { width: 9px; height: 9px; border-radius: 50%; background: var(--faint); }
        .dot.on { background: var(--good); } .dot.off { background: var(--bad); }
        .findings { padding: .8rem 1.2rem; border-radius: 12px; border: 1px solid var(--bad); background: var(--bad-soft); color: var(--bad); font-weight: 600; }
        .findings ul { margin: 0; padding-left: 1.1rem; }
        .findings.warn { border-color: var(--warn); background: var(--warn-soft); color: var(--warn); }
        button { font: inherit; font-size: .88rem; font-weight: 600; padding: .35rem .8rem; border-radius: 8px; cursor: pointer;
          border: 1px solid var(--line); background: var(--panel); color: var(--text); }
        button:hover { border-color: var(--accent); color: var(--accent); }
        button.main { background: var(--accent); border-color: var(--accent); color: var(--panel); }
        button.danger { background: var(--bad); border-color: var(--bad); color: var(--panel); }
        button:disabled { opacity: .5; cursor: default; }
        .actions { display: flex; flex-wrap: wrap; gap: .5rem; }
        .topology svg { display: block; width: 100%; height: auto; max-height: 360px; }
        .box { fill: var(--panel); stroke: var(--line); stroke-width: 1.5; }
        .box.primary { stroke: var(--accent); stroke-width: 2.5; } .box.ill { stroke: var(--bad); stroke-width: 2; } .box.none { stroke-dasharray: 6 5; fill: none; }
        .stripe { fill: var(--good); } .stripe.ill { fill: var(--bad); } .stripe.busy { fill: var(--warn); }
        svg text { fill: var(--text); font: 14px system-ui, sans-serif; } svg .name { font-weight: 700; font-size: 16px; }
        svg .small { fill: var(--soft); font-size: 12.5px; } svg .tag { font-size: 11px; font-weight: 700; fill: var(--accent); }
        svg .tagbox { fill: var(--info-soft); }
        .edge { fill: none; stroke: var(--good); stroke-width: 2.5; stroke-dasharray: 7 6; animation: flow 1.1s linear infinite; }
        .edge.broken { stroke: var(--bad); stroke-dasharray: 2 6; animation: none; } .edge.busy { stroke: var(--warn); }
        .edge-label { fill: var(--soft); font-size: 12.5px; text-anchor: middle; }
        .edge-ground { fill: var(--panel); }
        @keyframes flow { to { stroke-dashoffset: -13; } }
        .scroll { overflow-x: auto; }
        table { width: 100%; border-collapse: collapse; font-size: .92rem; }
        th { text-align: left; font-weight: 600; color: var(--faint); font-size: .8rem; padding: .25rem .8rem .35rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
        td { padding: .5rem .8rem .5rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: baseline; }
        tbody th { color: var(--text); font-size: .95rem; font-weight: 650; } tbody tr:last-child > * { border-bottom: 0; } td.reason { white-space: normal; color: var(--soft); min-width: 12rem; }
        td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
        .columns { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1rem; align-items: start; }
        .stack { display: grid; gap: 1rem; }
        .events { list-style: none; max-height: 430px; overflow-y: auto; display: grid; }
        .events li { display: grid; grid-template-columns: 5.2rem 1fr; gap: .2rem .9rem; padding: .45rem 0; border-bottom: 1px solid var(--line); font-size: .92rem; }
        .events li:last-child { border-bottom: 0; } .events time, .soft { color: var(--faint); font-variant-numeric: tabular-nums; }
        .events .why { grid-column: 2; color: var(--soft); font-size: .85rem; }
        .empty { color: var(--faint); font-size: .92rem; }
        .running { border-color: var(--accent); }
        .running .line { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: baseline; margin-bottom: .7rem; } .running .line b { font-size: 1.1rem; } .running p { margin-top: .6rem; }
        .steps { list-style: none; display: flex; flex-wrap: wrap; gap: .4rem; }
        .steps li { padding: .25rem .7rem; border-radius: 8px; background: var(--good-soft); color: var(--good); font-size: .88rem; font-weight: 600; }
        .steps li.now { background: var(--accent); color: var(--panel); }
        dialog { border: 1px solid var(--line); border-radius: 14px; background: var(--panel); color: var(--text); padding: 1.4rem; width: min(34rem, 92vw); box-shadow: 0 12px 50px #0006; }
        dialog::backdrop { background: #0b0e15a0; }
        dialog form { display: grid; gap: .9rem; } dialog h3 { font-size: 1.15rem; } dialog .row { display: flex; justify-content: flex-end; gap: .6rem; }
        dialog label { display: grid; gap: .3rem; font-weight: 600; font-size: .9rem; }
        input, select { font: inherit; padding: .45rem .6rem; border-radius: 8px; border: 1px solid var(--line); background: var(--ground); color: var(--text); }
        dialog ul { margin: 0; padding-left: 1.2rem; color: var(--soft); font-size: .92rem; } dialog .error { color: var(--bad); font-weight: 600; white-space: pre-line; }
        footer { text-align: center; padding: 0 1rem 2rem; color: var(--faint); font-size: .86rem; }
        @media (max-width: 900px) { .columns { grid-template-columns: minmax(0, 1fr); } }
        @media (prefers-reduced-motion: reduce) { .edge { animation: none; } }
        """#
}
