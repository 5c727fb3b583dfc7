/// The script, part one: what the page asks of its node, by the event stream or, without it, every two seconds.
extension StatusPage {
    static let dataScript = #"""
        'use strict';
        // What the page knows: the last status, and the token of this browser tab.
        const page = { status: null, health: '', at: 0, token: sessionStorage.getItem('pgbastion-token') || '', seenKey: '', asked: {}, last: null };
        const byId = id => document.getElementById(id);

        // An element with its attributes and children; texts are never read as markup.
        function make(name, attributes, ...children) {
          const element = document.createElement(name);
          for (const [key, value] of Object.entries(attributes || {})) {
            if (key === 'on') for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
            else if (value === true) element.setAttribute(key, '');
            else if (value !== false && value != null) element.setAttribute(key, value);
          }
          element.append(...children.filter(child => child != null && child !== false));
          return element;
        }
        function draw(name, attributes, ...children) {
          const element = document.createElementNS('http://www.w3.org/2000/svg', name);
          for (const [key, value] of Object.entries(attributes)) if (value != null) element.setAttribute(key, value);
          element.append(...children);
          return element;
        }
        function show(id, ...children) { byId(id).replaceChildren(...children.filter(child => child != null && child !== false)); }

        function bytes(count) {
          if (count == null) return '–';
          const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
          let size = count, unit = 0;
          while (size >= 1024 && unit < 4) { size /= 1024; unit += 1; }
          return (unit === 0 ? size : size.toFixed(1)) + ' ' + units[unit];
        }
        function age(seconds) {
          if (seconds == null) return '–';
          if (seconds < 60) return seconds.toFixed(seconds < 10 ? 1 : 0) + ' s';
          if (seconds < 7200) return Math.round(seconds / 60) + ' min';
          return Math.round(seconds / 3600) + ' h';
        }
        function clock(text) {
          const time = new Date(text);
          if (isNaN(time)) return text || '';
          const today = new Date().toDateString() === time.toDateString();
          return today ? time.toLocaleTimeString([], { hour12: false }) : time.toISOString().slice(0, 10);
        }

        // --- asking this node ---

        async function ask(path, body) {
          const headers = {};
          if (page.token) headers.Authorization = 'Bearer ' + page.token;
          const options = { headers, cache: 'no-store' };
          if (body !== undefined) {
            const id = 'ui-' + Array.from(crypto.getRandomValues(new Uint8Array(8)), byte => byte.toString(16).padStart(2, '0')).join('');
            options.method = 'POST';
            options.body = JSON.stringify(body);
            Object.assign(headers, { 'Content-Type': 'application/json', 'X-Request-ID': id, 'Idempotency-Key': id });
          }
          const response = await fetch(path, options);
          const answer = await response.json();
          if (answer.error) {
            const error = answer.error.message ? answer.error : { message: String(answer.error) };
            throw Object.assign(new Error(error.message), { status: response.status, detail: error.detail, hint: error.hint });
          }
          return answer.data === undefined ? answer : answer.data;
        }

        // The event stream, read by hand because EventSource can carry no token; without it the page asks every two seconds.
        async function follow() {
          for (;;) {
            try {
              const headers = page.token ? { Authorization: 'Bearer ' + page.token } : {};
              const response = await fetch('/events', { headers, cache: 'no-store' });
              if (!response.ok || !response.body) throw new Error('no stream');
              await read(response.body.getReader());
            } catch (error) {
              await look();
            }
            await new Promise(done => setTimeout(done, 2000));
          }
        }
        async function read(reader) {
          const decoder = new TextDecoder();
          let rest = '';
          for (;;) {
            const { value, done } = await within(8000, reader.read());
            if (done) return;
            rest += decoder.decode(value, { stream: true });
            const blocks = rest.split('\n\n');
            rest = blocks.pop();
            for (const block of blocks) {
              const data = block.split('\n').filter(line => line.startsWith('data: ')).map(line => line.slice(6)).join('\n');
              if (!data) continue;
              const update = JSON.parse(data);
              take(update.status, update.health);
            }
          }
        }
        function within(milliseconds, promise) {
          return Promise.race([promise, new Promise((_, fail) => setTimeout(() => fail(new Error('silent')), milliseconds))]);
        }
        async function look() {
          try {
            take(await ask('/v1/operations/status'), '');
          } catch (error) {
            if (error.status === 401 || error.status === 403) byId('seen').textContent = 'this node wants a token for reading';
            else if (Date.now() - page.at > 4000) silent();
          }
        }
        function silent() {
          byId('live').className = 'dot off';
          byId('seen').textContent = 'this node does not answer' + (page.at ? ' since ' + clock(new Date(page.at).toISOString()) : '');
        }

        function take(status, health) {
          page.status = status;
          page.health = health;
          page.at = Date.now();
          render();
          const key = JSON.stringify([status.primary, status.operation && status.operation.phase, status.paused.active,
            status.raft.leader_id, status.nodes.map(node => [node.name, node.role, node.state])]);
          if (key !== page.seenKey) { page.seenKey = key; aside(true); }
        }

        // What the stream does not carry: events, finished changes, connections, runs of runbooks, backups.
        async function aside(isChange) {
          const every = { events: 5000, changes: 10000, sessions: 5000, runs: 2000, backups: 30000 };
          const run = async (name, path, use) => {
            if (!isChange && Date.now() - (page.asked[name] || 0) < every[name]) return;
            if (page.asked[name] === Infinity) return;
            page.asked[name] = Date.now();
            try { use(await ask(path)); } catch (error) { if (error.status === 404) page.asked[name] = Infinity; }
          };
          await Promise.all([
            run('events', '/v1/operations/events?n=60', showEvents), run('changes', '/v1/operations/op.list', showChanges),
            run('sessions', '/v1/operations/connections', showSessions), run('runs', '/v1/operations/run.list', showRuns),
            run('backups', '/v1/operations/backup.records', showBackups)]);
        }
        """#
}
