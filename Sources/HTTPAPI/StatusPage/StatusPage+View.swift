/// The script, part two: from a status to what is shown. Texts are put in as text, never as markup.
extension StatusPage {
    static let viewScript = #"""
        // --- showing ---

        function render() {
          const s = page.status;
          const serving = s.primary && s.primary.phase === 'serving';
          document.title = (s.cluster.healthy ? '' : '⚠ ') + s.cluster.name + ' · pgbastion';
          byId('cluster').textContent = s.cluster.name;
          byId('node').textContent = s.raft.node;
          const own = s.nodes.find(node => node.name === s.raft.node);
          byId('version').textContent = 'version ' + ((own && own.version) || '–');
          byId('live').className = 'dot on';
          byId('seen').textContent = 'live from ' + s.raft.node + (s.stale_seconds > 0 ? ', without a leader for ' + age(s.stale_seconds) : '');
          const [word, mood] = s.split_brain ? ['Split brain', 'bad'] : !s.raft.has_quorum ? ['No quorum', 'bad']
            : s.operation ? [title(s.operation.kind) + ' in progress', 'warn'] : !serving ? ['No primary', 'bad']
            : !s.cluster.healthy ? ['Needs attention', 'warn'] : s.paused.active ? ['Healthy, failover paused', 'warn'] : ['Healthy', 'good'];
          byId('verdict').textContent = word;
          byId('verdict').className = 'badge ' + mood;
          const findings = byId('findings');
          findings.hidden = s.findings.length === 0;
          findings.className = 'findings' + (s.split_brain || !s.raft.has_quorum || !serving ? '' : ' warn');
          const list = make('ul', {}, ...s.findings.map(text => make('li', {}, text)));
          if (findings.textContent !== list.textContent) findings.replaceChildren(list);
          cards(s, serving);
          running(s);
          topology(s);
          nodes(s);
          actions(s, serving);
        }
        const title = text => text.charAt(0).toUpperCase() + text.slice(1);

        function cards(s, serving) {
          const card = (name, value, note, mood) => make('div', { class: 'card ' + (mood || ''), 'data-card': name },
            make('h2', {}, name), make('div', { class: 'value' }, ...[].concat(value)), make('div', { class: 'note' }, note));
          const pips = make('span', { class: 'pips', 'aria-hidden': 'true' });
          for (let i = 0; i < s.raft.voters; i += 1) pips.append(make('i', { class: i < s.raft.voters_reachable ? '' : 'off' }));
          const sync = s.synchronous;
          show('cards',
            card('Primary', serving ? s.primary.name : 'none', s.primary ? 'timeline ' + s.primary.timeline + ' · ' + s.primary.phase : s.primary_reason || '', serving ? '' : 'bad'),
            card('Quorum', [pips, s.raft.voters_reachable + ' of ' + s.raft.voters],
              s.raft.has_quorum ? 'may lose ' + s.raft.failures_tolerated + ' more' : 'nothing can be decided', s.raft.has_quorum ? (s.raft.failures_tolerated === 0 && s.raft.voters > 2 ? 'warn' : '') : 'bad'),
            card('Raft leader', s.raft.leader_id || 'none', 'term ' + s.raft.term, s.raft.leader_id ? '' : 'bad'),
            card('Commits wait for', sync.mode === 'off' ? 'no replica' : sync.degraded ? 'no replica now' : sync.required + ' of ' + sync.members.length,
              sync.mode === 'off' ? 'synchronous mode off' : 'mode ' + sync.mode + (sync.members.length ? ': ' + sync.members.join(', ') : ''), sync.degraded ? 'warn' : ''),
            card('Automatic failover', s.paused.active ? 'paused' : 'on',
              s.paused.active ? [s.paused.reason, s.paused.by, s.paused.until && 'until ' + clock(s.paused.until)].filter(Boolean).join(' · ') : 'a dead primary is replaced', s.paused.active ? 'warn' : ''),
            s.vip.address || s.vip.owner ? card('Virtual address', s.vip.owner || 'nobody', [s.vip.address, s.vip.owner_reason].filter(Boolean).join(' · '), s.vip.owner ? '' : 'warn') : '');
        }

        // The change that runs; one that has ended stays for half a minute, since a failover takes a second only.
        function running(s) {
          const last = page.last && !s.operation && (new Date(s.raft.captured_at) - new Date(page.last.finished_at)) / 1000 < 30 ? page.last : null;
          const operation = s.operation || last, panel = byId('running');
          panel.hidden = !operation;
          if (!operation) return;
          const [word, look] = last ? [last.state, { succeeded: 'good', failed: 'bad', undone: 'warn' }[last.state]] : ['running', ''];
          const phases = operation.phases.length ? operation.phases : [{ name: operation.phase, detail: '', elapsed_seconds: 0 }];
          panel.replaceChildren(
            make('div', { class: 'line' }, make('span', { class: 'badge ' + look }, word),
              make('b', {}, title(operation.kind) + (operation.from || operation.to ? ' ' + [operation.from, operation.to].filter(Boolean).join(' → ') : '')),
              make('span', { class: 'soft' }, 'began ' + clock(operation.started_at) + ' · ' + operation.id)),
            make('ol', { class: 'steps' }, ...phases.map((phase, index) => make('li', { class: !last && index === phases.length - 1 ? 'now' : '', title: phase.detail },
              phase.name + ' ' + age(phase.elapsed_seconds)))),
            make('p', { class: 'soft' }, (last ? last.result : phases[phases.length - 1].detail) || ''));
        }

        function mood(node) {
          if (['cloning', 'rewinding', 'starting', 'catching_up'].includes(node.state)) return 'busy';
          return node.healthy ? '' : 'ill';
        }
        function roleWord(node) {
          const busy = node.job && node.job.kind !== 'none' && !['idle', 'complete', 'failed'].includes(node.job.phase);
          const job = busy ? ' · ' + node.job.kind + (node.job.percent == null ? '' : ' ' + Math.round(node.job.percent) + ' %') : '';
          return node.role + ' · ' + node.state.replace('_', ' ') + job;
        }

        function topology(s) {
          const primary = s.nodes.find(node => node.role === 'primary');
          const others = s.nodes.filter(node => node !== primary);
          const width = Math.max(860, others.length * 252 + 24), box = { w: 228, h: 82 };
          const svg = draw('svg', { viewBox: '0 0 ' + width + ' 290', role: 'img' });
          svg.append(draw('title', {}, draw('desc', {})));
          svg.firstChild.textContent = (primary ? primary.name + ' is the primary. ' : 'There is no primary. ')
            + others.map(node => node.name + ': ' + roleWord(node) + (node.lag_bytes == null ? '' : ', ' + bytes(node.lag_bytes) + ' behind')).join('. ');
          const top = { x: width / 2 - box.w / 2, y: 8 };
          others.forEach((node, index) => {
            const x = width * (index + .5) / others.length - box.w / 2, y = 196;
            if (node.role !== 'witness') edge(svg, { x: width / 2, y: top.y + box.h }, { x: x + box.w / 2, y }, node, primary);
            nodeBox(svg, node, x, y, box, s);
          });
          if (primary) nodeBox(svg, primary, top.x, top.y, box, s);
          else svg.append(draw('rect', { class: 'box none', x: top.x, y: top.y, width: box.w, height: box.h, rx: 12 }),
            text(width / 2, top.y + box.h / 2 + 5, 'no primary', 'small', 'middle'));
          const old = byId('topology').firstChild, key = svg.outerHTML;
          if (!old || old.dataset.key !== key) { svg.dataset.key = key; show('topology', svg); }
        }
        function text(x, y, content, kind, anchor) {
          const element = draw('text', { x, y, class: kind, 'text-anchor': anchor });
          element.textContent = content;
          return element;
        }
        function edge(svg, from, to, node, primary) {
          const streaming = node.streaming === true && primary;
          const kind = streaming ? '' : mood(node) === 'busy' ? ' busy' : ' broken';
          const middle = (from.y + to.y) / 2;
          svg.append(draw('path', { class: 'edge' + kind, d: `M ${from.x} ${from.y} C ${from.x} ${middle}, ${to.x} ${middle}, ${to.x} ${to.y}` }));
          const words = streaming ? (node.lag_bytes ? bytes(node.lag_bytes) + ' behind' : 'in step') : 'not streaming';
          const at = (from.x + to.x) / 2;
          svg.append(draw('rect', { class: 'edge-ground', x: at - words.length * 3.4 - 6, y: middle - 11, width: words.length * 6.8 + 12, height: 22, rx: 6 }),
            text(at, middle + 4.5, words, 'edge-label', 'middle'));
        }
        function nodeBox(svg, node, x, y, box, s) {
          const ill = mood(node);
          const group = draw('g', { 'data-node': node.name, 'data-role': node.role, 'data-state': node.state });
          group.append(draw('rect', { class: 'box ' + (node.role === 'primary' ? 'primary' : ill === 'ill' ? 'ill' : ''), x, y, width: box.w, height: box.h, rx: 12 }),
            draw('rect', { class: 'stripe ' + ill, x: x + 12, y: y + 14, width: 6, height: box.h - 28, rx: 3 }),
            text(x + 30, y + 28, node.name, 'name'), text(x + 30, y + 48, roleWord(node), 'small'),
            text(x + 30, y + 67, node.host + (node.postgres_port ? ':' + node.postgres_port : ''), 'small'));
          const tags = [node.raft === 'leader' && 'LEADER', node.vip && 'VIP', node.sync === 'quorum' || node.sync === 'sync' ? 'SYNC' : null].filter(Boolean);
          let right = x + box.w - 10;
          for (const tag of tags) {
            const wide = tag.length * 7.6 + 12;
            right -= wide;
            group.append(draw('rect', { class: 'tagbox', x: right, y: y + 14, width: wide, height: 18, rx: 9 }), text(right + wide / 2, y + 27, tag, 'tag', 'middle'));
            right -= 4;
          }
          svg.append(group);
        }

        function nodes(s) {
          const names = ['Node', 'Role', 'State', 'Lag', 'Replay delay', 'Timeline', 'Raft', 'Sessions', 'In rotation', 'Seen'];
          const numbers = ['Lag', 'Replay delay', 'Timeline', 'Sessions', 'Seen'];
          const kinds = { primary: '', replica: 'plain', witness: 'plain', unknown: 'warn' };
          const body = s.nodes.map(node => make('tr', { 'data-node': node.name }, make('th', { scope: 'row' }, node.name),
            make('td', {}, make('span', { class: 'badge ' + (kinds[node.role] ?? 'plain') }, node.role)),
            make('td', {}, make('span', { class: 'badge ' + ({ '': 'good', busy: 'warn', ill: 'bad' })[mood(node)] }, node.state.replace('_', ' '))),
            make('td', { class: 'number' }, bytes(node.lag_bytes)), make('td', { class: 'number' }, age(node.lag_seconds)),
            make('td', { class: 'number' }, String(node.timeline ?? '–')), make('td', {}, node.raft + (node.reachable ? '' : ', silent')),
            make('td', { class: 'number' }, String(node.connections ?? '–')),
            make('td', { class: 'reason' }, node.in_rotation ? 'yes' : 'no: ' + (node.rotation_reason || 'unknown')), make('td', { class: 'number' }, age(node.last_seen_seconds))));
          show('nodes', make('thead', {}, make('tr', {}, ...names.map(name => make('th', { scope: 'col', class: numbers.includes(name) ? 'number' : '' }, name)))), make('tbody', {}, ...body));
        }

        function showEvents(data) {
          const rows = data.events.slice().reverse().map(event => make('li', { 'data-event': event.type },
            make('time', { datetime: event.at, title: event.at }, clock(event.at)), make('span', {}, event.message),
            make('span', { class: 'why' }, [event.type, event.actor, (event.rules || []).join(' ')].filter(Boolean).join(' · '))));
          show('events', ...(rows.length ? rows : [make('li', { class: 'empty' }, 'nothing yet')]));
        }
        function simpleTable(heads, rows, empty) {
          if (!rows.length) return make('p', { class: 'empty' }, empty);
          return make('table', {}, make('thead', {}, make('tr', {}, ...heads.map(head => make('th', { scope: 'col' }, head)))),
            make('tbody', {}, ...rows.map(cells => make('tr', {}, ...cells.map(cell => make('td', {}, cell))))));
        }
        function showSessions(data) {
          show('sessions', simpleTable(['Server', 'Port', 'Sessions'], data.by_backend.map(row => [row.backend, row.port_type, String(row.active)]), 'no client is connected through a proxy'));
        }
        function showChanges(data) {
          page.last = data.operations.find(row => row.finished_at && row.kind !== 'bootstrap');
          if (page.status) running(page.status);
          const moods = { succeeded: 'good', running: '', failed: 'bad', undone: 'warn' };
          show('changes', simpleTable(['When', 'Change', 'Result'], data.operations.slice(0, 6).map(row => [clock(row.started_at),
            row.name + (row.from || row.to ? ' ' + [row.from, row.to].filter(Boolean).join(' → ') : ''),
            make('span', { class: 'badge ' + (moods[row.state] ?? ''), title: row.result || '' }, row.state)]), 'none yet'));
        }
        // A run holds its lock from the first step to the last; a lock whose run no longer beats stays until `runbook unlock`.
        function showRuns(data) {
          const moods = { succeeded: 'good', waiting: 'warn', held: 'warn', interrupted: 'warn', rolling_back: 'warn', rolled_back: 'warn', aborted: 'warn', failed: 'bad', rollback_failed: 'bad' };
          const panel = byId('runbook');
          panel.hidden = data.locks.length === 0;
          panel.replaceChildren(...data.locks.map(lock => {
            const run = data.runs.find(row => row.id === lock.run_id) || { status: 'running', steps: [], message: '' };
            const word = lock.live ? run.status : 'silent for ' + age(lock.heartbeat_age_seconds);
            return make('div', { 'data-run': lock.run_id },
              make('div', { class: 'line' }, make('span', { class: 'badge ' + (lock.live ? moods[run.status] ?? '' : 'bad') }, word.replace('_', ' ')),
                make('b', {}, 'Runbook ' + lock.runbook + (lock.node ? ' on ' + lock.node : '')),
                make('span', { class: 'soft' }, 'by ' + lock.holder + ' · began ' + clock(lock.started_at) + ' · ' + lock.run_id)),
              make('ol', { class: 'steps' }, ...run.steps.map(step => make('li', {}, step)), run.step ? make('li', { class: 'now' }, run.step) : null),
              make('p', { class: 'soft' }, lock.live ? run.message || '' : 'its program does not answer: pgbastion runbook unlock ' + lock.run_id));
          }));
          const ended = data.runs.filter(row => !data.locks.some(lock => lock.run_id === row.id));
          byId('runs-panel').hidden = ended.length === 0;
          show('runs', simpleTable(['When', 'Runbook', 'Result'], ended.slice(0, 5).map(row => [clock(new Date(row.started_at).toISOString()), row.runbook,
            make('span', { class: 'badge ' + (moods[row.status] ?? ''), title: row.message || '' }, row.status.replace('_', ' '))]), 'none yet'));
        }
        function showBackups(data) {
          byId('backup-panel').hidden = false;
          show('backups', simpleTable(['When', 'What', 'Size', 'Result'], data.records.slice(0, 6).map(row => [clock(row.at),
            make('span', { title: row.id + ' on ' + row.node }, row.kind === 'drill' ? 'drill' : row.series), row.size_bytes ? bytes(row.size_bytes) : '–',
            row.succeeded ? make('span', { class: 'badge ' + (row.verified || row.kind === 'drill' ? 'good' : 'warn') }, row.kind === 'drill' ? 'passed' : row.verified ? 'verified' : 'not verified')
              : make('span', { class: 'badge bad' }, 'failed')]), 'no backup of the cluster state is known'));
        }
        """#
}
