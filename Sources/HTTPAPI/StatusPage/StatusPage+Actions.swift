/// The script, part three: changes, which need a token, and the dialogs that ask before them.
extension StatusPage {
    static let actionScript = #"""
        // --- acting, with a token only ---

        function actions(s, serving) {
          const bar = byId('actions');
          bar.hidden = !page.token;
          byId('access').textContent = page.token ? 'Token given · forget it' : 'Read only · enter token';
          const key = [page.token !== '', s.paused.active, serving, !!s.operation, s.nodes.map(node => node.name + node.role).join()].join();
          if (bar.dataset.key === key) return;
          bar.dataset.key = key;
          const replicas = s.nodes.filter(node => node.role === 'replica').map(node => node.name);
          const button = (name, run, disabled) => make('button', { type: 'button', disabled, on: { click: run } }, name);
          bar.replaceChildren(
            button('Switchover …', () => change('switchover', 'Switchover', 'Another node becomes the primary, without loss. New transactions wait for a moment.', replicas, 'main'), !serving || !!s.operation || !replicas.length),
            button('Failover …', () => change('failover', 'Failover', 'The old primary is fenced and a replica is promoted. With a live primary, a switchover is the better choice.', replicas, 'danger'), !replicas.length),
            s.paused.active ? button('Resume failover …', () => change('resume', 'Resume automatic failover', 'A dead primary is replaced by itself again.', null, 'main'))
              : button('Pause failover …', () => change('pause', 'Pause automatic failover', 'No node is promoted by itself until it is resumed. Manual operations still work.', null, 'main')));
        }

        function openDialog(...children) {
          show('form', ...children);
          const dialog = byId('dialog');
          if (!dialog.open) dialog.showModal();
          return dialog;
        }
        function problem(error) { return [error.message, error.detail, error.hint && 'Hint: ' + error.hint].filter(Boolean).join('\n'); }

        function change(operation, name, meaning, targets, kind) {
          const choice = targets && make('select', { id: 'target', name: 'target' }, ...targets.map(target => make('option', { value: target }, target)));
          const reason = operation === 'pause' && make('input', { id: 'reason', name: 'reason', maxlength: '200', autocomplete: 'off' });
          const steps = make('ul', { 'aria-live': 'polite' }), trouble = make('p', { class: 'error', role: 'alert' });
          const confirm = make('button', { type: 'button', class: kind, id: 'confirm' }, name + (choice ? ' to ' + choice.value : ''));
          const body = () => choice ? { to: choice.value } : reason && reason.value ? { reason: reason.value } : {};
          const plan = async () => {
            trouble.textContent = '';
            if (choice) confirm.textContent = name + ' to ' + choice.value;
            try {
              const data = await ask('/v1/operations/' + operation + '?dry_run=true', body());
              steps.replaceChildren(...(((data.plan || {}).steps) || []).map(step => make('li', {}, step)));
              confirm.disabled = false;
            } catch (error) {
              steps.replaceChildren();
              trouble.textContent = problem(error);
              confirm.disabled = true;
            }
          };
          confirm.addEventListener('click', async () => {
            confirm.disabled = true;
            try {
              await ask('/v1/operations/' + operation, body());
              byId('dialog').close();
              aside(true);
            } catch (error) {
              trouble.textContent = problem(error);
              confirm.disabled = false;
            }
          });
          if (choice) choice.addEventListener('change', plan);
          openDialog(make('h3', { id: 'dialog-title' }, name), make('p', {}, meaning),
            choice && make('label', { for: 'target' }, 'New primary', choice), reason && make('label', { for: 'reason' }, 'Reason, shown to everybody', reason),
            steps, trouble, make('div', { class: 'row' }, make('button', { type: 'submit', id: 'cancel' }, 'Cancel'), confirm));
          (choice || reason || confirm).focus();
          plan();
        }

        function enterToken() {
          if (page.token) {
            page.token = '';
            sessionStorage.removeItem('pgbastion-token');
            if (page.status) render();
            return;
          }
          const field = make('input', { id: 'token', name: 'token', type: 'password', autocomplete: 'off', required: true });
          const trouble = make('p', { class: 'error', role: 'alert' });
          const use = make('button', { type: 'button', class: 'main', id: 'use-token' }, 'Use token');
          const tryIt = async () => {
            const before = page.token;
            page.token = field.value.trim();
            try {
              await ask('/v1/operations/pause?dry_run=true', {});
              sessionStorage.setItem('pgbastion-token', page.token);
              byId('dialog').close();
              if (page.status) render(); else look();
            } catch (error) {
              page.token = before;
              trouble.textContent = problem(error);
            }
          };
          use.addEventListener('click', tryIt);
          field.addEventListener('keydown', event => { if (event.key === 'Enter') { event.preventDefault(); tryIt(); } });
          openDialog(make('h3', { id: 'dialog-title' }, 'Enter an API token'),
            make('p', {}, 'It is kept in this browser tab until the tab is closed, and lets you switch over, fail over, pause and resume.'),
            make('label', { for: 'token' }, 'Token', field), trouble, make('div', { class: 'row' }, make('button', { type: 'submit', id: 'cancel' }, 'Cancel'), use));
          field.focus();
        }

        byId('access').addEventListener('click', enterToken);
        setInterval(() => { if (page.status && Date.now() - page.at > 6000) silent(); }, 1000);
        setInterval(() => { if (page.status) aside(false); }, 2500);
        follow();
        """#
}
