/** The script of the agent view's page: shows the state it is given, and says what the person does. */

import { parse } from './diff.ts';
import { h, patch, type Kid, type Tree } from './dom.ts';
import type { Ask, Call, Change, Entry, FromPage, Mode, Run, State, ToPage } from './messages.ts';
import { after } from './model.ts';

/** What is the person's own on this screen, kept while the view is hidden: the task being written, what is folded out, what is not ticked. */
interface Own { draft: string; open: Record<string, boolean>; left: Record<string, boolean> }
declare function acquireVsCodeApi(): { postMessage(message: FromPage): void; getState(): Own | undefined; setState(own: Own): void };

const MOST_LINES = 400; // of a diff, before the person asks for the rest
const MODES = { plan: 'Only plan', ask: 'Ask before commands', allow: 'Run commands in the sandbox' };
const RANK = Object.keys(MODES);
const ICONS = {
  done: 'M3 8.5l3.5 3.5L13 4.5', failed: 'M4 4l8 8M12 4l-8 8', pending: 'M8 4.5a3.5 3.5 0 1 0 .01 0z', working: 'M8 2.5a5.5 5.5 0 1 1-5.5 5.5',
  closed: 'M6 3.5L10.5 8L6 12.5', open: 'M3.5 6L8 10.5L12.5 6',
};

const code = acquireVsCodeApi();
const own: Own = { draft: '', open: {}, left: {}, ...code.getState() };
const at = (id: string) => document.getElementById(id) as HTMLInputElement;
const [main, foot] = [at('main'), at('foot')];
const drawn = new WeakMap<Entry, [boolean, Tree]>();
let state: State;
let waiting = 0;

const send = (message: FromPage) => code.postMessage(message);
const many = (count: number, one: string) => `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;
const value = (id: string) => at(id)?.value.trim() ?? '';
const submits = (what: () => void) => (event: Event) => { event.preventDefault(); what(); };

function keep(change: () => void): void {
  change();
  code.setState(own);
  draw();
}

// -- small pieces ---------------------------------------------------------------------------------------

function icon(name: keyof typeof ICONS): Tree {
  return h('svg', { class: `icon ${name}`, viewBox: '0 0 16 16', 'aria-hidden': 'true' }, h('path', { d: ICONS[name] }));
}

function button(text: string, message: FromPage | (() => void), more: Record<string, string | boolean> = {}): Tree {
  return h('button', { type: 'button', key: text, disabled: state.busy !== '', onclick: typeof message === 'function' ? message : () => send(message), ...more }, text);
}

/** What is heard and not seen. */
const hidden = (text: string) => h('span', { class: 'hidden' }, text);

/** A line that opens what is behind it. */
function fold(id: string, open: boolean, title: string, ...label: Kid[]): Tree {
  const onclick = () => keep(() => (own.open[id] = !open));
  return h('button', { type: 'button', key: id, class: 'fold', 'aria-expanded': String(open), title, onclick }, icon(open ? 'open' : 'closed'), ...label);
}

function path(text: string): Tree {
  const cut = text.lastIndexOf('/') + 1;
  return h('span', { class: 'path' }, h('span', { class: 'folder' }, text.slice(0, cut)), h('span', { class: 'base' }, text.slice(cut)));
}

function counts(added: number, removed: number): Tree {
  return h('span', { class: 'counts' }, added > 0 && h('span', { class: 'plus' }, `+${added}`), removed > 0 && h('span', { class: 'minus' }, `−${removed}`));
}

function region(tag: string, kind: string, name: string, ...kids: Kid[]): Tree {
  return h(tag, { class: kind, role: 'region', tabindex: 0, 'aria-label': name }, ...kids);
}

function diff(text: string, name: string): Kid[] {
  const lines = parse(text);
  const most = own.open[`all ${name}`] ? lines.length : MOST_LINES;
  const rows = lines.slice(0, most).map(({ kind, number, text }) => h('div', { class: `line ${kind}` },
    h('span', { class: 'number', 'aria-hidden': 'true' }, String(number ?? '')), { same: ' ', added: '+', removed: '−', hunk: '', note: '' }[kind] + text));
  return [region('div', 'diff', `Changes in ${name}`, h('div', { class: 'lines' }, rows)),
    lines.length > most && button(`Show all ${many(lines.length, 'line')}`, () => keep(() => (own.open[`all ${name}`] = true)), { class: 'link' })];
}

// -- the task, and earlier runs -------------------------------------------------------------------------

function home(): Kid[] {
  const modes = RANK.slice(0, RANK.indexOf(state.mode) + 1) as Mode[];
  const start = () => (value('task') ? send({ type: 'start', task: value('task'), mode: value('mode') as Mode }) : at('task').focus());
  return [
    h('form', { key: 'form', class: 'task', onsubmit: submits(start) },
      h('label', { for: 'task' }, 'What should be done?'),
      h('textarea', { id: 'task', rows: 4, placeholder: 'Rename net to before_tax everywhere, and mention it in the docs.',
        oninput: () => { own.draft = at('task').value; code.setState(own); },
        onkeydown: (event: KeyboardEvent) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) start(); } }),
      h('div', { class: 'chips', role: 'group', 'aria-label': 'Files pointed at' }, state.pointed.map(({ uri, label }) => h('span', { key: uri, class: 'chip', title: label }, path(label),
        h('button', { type: 'button', 'aria-label': `Do not point at ${label}`, onclick: () => send({ type: 'unpoint', uri }) }, icon('failed')))),
      button('Add files…', { type: 'point' }, { class: 'link' })),
      h('div', { class: 'row' },
        h('select', { id: 'mode', 'aria-label': 'What the run may do' }, modes.map((name) => h('option', { key: name, value: name, selected: name === state.mode }, MODES[name]))),
        h('button', { type: 'submit', class: 'primary', title: 'Ctrl+Enter', disabled: state.server !== 'running' || state.busy !== '' }, 'Start')),
      h('p', { class: 'soft' }, 'Works on a copy of your files. Nothing of yours changes before you have seen it and said yes.')),
    h('h2', { key: 'title', tabindex: -1, class: 'small' }, 'Earlier runs'),
    state.runs.length === 0 && h('p', { key: 'none', class: 'soft' }, 'None yet. What a run did and what it cost will be found here, and the way to take it back.'),
    h('ul', { key: 'runs', class: 'runs' }, state.runs.map((info) => {
      const when = new Date(info.begun).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
      return h('li', { key: info.run }, h('button', { type: 'button', class: 'run', onclick: () => send({ type: 'open', run: info.run }) },
        h('span', { class: 'name' }, info.task), h('span', { class: 'soft' }, `${info.label} · ${when}`)));
    })),
  ];
}

// -- one run --------------------------------------------------------------------------------------------

function whole(run: Run): Kid[] {
  return [
    !run.running && h('div', { key: 'bar', class: 'bar' }, button('All runs', { type: 'home' }, { class: 'link' }),
      run.run && button('What happened', { type: 'page', run: run.run }, { class: 'link', title: 'Everything that happened in this run, as a page' })),
    h('h2', { key: 'title', tabindex: -1 }, run.task),
    h('p', { key: 'facts', class: 'facts' }, h('span', { class: 'badge' }, run.state), ' ', run.facts),
    !run.running && run.state !== 'Done' && run.reason && h('p', { key: 'reason', class: 'soft' }, run.reason),
    run.todos.length > 0 && section('plan', 'Plan', h('ol', { class: 'plan' }, run.todos.map(([step, status]) => {
      const mark = status === 'completed' ? 'done' : status === 'in_progress' && run.running ? 'working' : 'pending';
      return h('li', { class: mark }, icon(mark), hidden(`${mark}: `), h('span', {}, step));
    }))),
    run.entries.length > 0 && section('log', run.running ? 'What happens' : 'What happened', h('ol', { class: 'log' }, run.entries.map(entry))),
    run.running && run.entries.length === 0 && h('p', { key: 'empty', class: 'soft' }, 'Looking at the workspace…'),
    run.changes && section('changes', run.changes.length ? `${many(run.changes.length, 'file')} to change` : 'Nothing to change',
      h('ul', { class: 'changes' }, run.changes.map((one) => change(run, one)))),
  ];
}

function section(id: string, title: string, ...kids: Kid[]): Tree {
  return h('section', { key: id, 'aria-labelledby': id }, h('h3', { id }, title), ...kids);
}

function entry(one: Entry, number: number): Tree {
  const open = own.open[`call ${number}`] ?? false;
  const before = drawn.get(one);
  if (before?.[0] === open) return before[1];
  const tree = h('li', { key: number, class: one.kind }, one.kind === 'call' ? call(one, number, open) : h('p', { class: one.kind }, one.text.trimEnd()));
  drawn.set(one, [open, tree]);
  return tree;
}

function call(one: Call, number: number, open: boolean): Kid[] {
  const status = one.ok === null ? 'working' : one.ok ? 'done' : 'failed';
  const [tool, lines] = [one.tool.replaceAll('_', ' '), parse(one.diff)];
  const count = (kind: string) => lines.filter((line) => line.kind === kind).length;
  const tail = one.ok === null && one.printed.trimEnd().split('\n').slice(-6).join('\n');
  return [
    fold(`call ${number}`, open, `${tool} ${one.about}, ${status}`, h('span', { class: `mark ${status}` }, icon(status), hidden(`${status}: `)),
      h('span', { class: 'what' }, h('span', { class: 'tool' }, tool), ' ', h('code', {}, one.about)), counts(count('added'), count('removed'))),
    one.ok === false && h('p', { class: 'why' }, one.text.split('\n').find((line) => line.trim())),
    open ? h('div', { class: 'behind' }, one.diff ? diff(one.diff, `call ${number + 1}`) : region('pre', '', 'What came of it', one.text || one.printed || 'Nothing yet.'))
      : tail && h('pre', { class: 'tail' }, tail),
  ];
}

const left = (run: Run, { path }: Change) => own.left[`${run.run} ${path}`] ?? false;

function change(run: Run, one: Change): Tree {
  const [id, name] = [`file ${run.run} ${one.path}`, one.from ? `${one.from} → ${one.path}` : one.path];
  const open = own.open[id] ?? (run.changes ?? []).length <= 3;
  const kind = one.from ? `from ${one.from}` : one.kind === 'changed' || one.landed ? '' : one.kind;
  return h('li', { key: one.path }, h('div', { class: 'head' },
    one.landed ? h('span', { class: 'mark done' }, icon('done'), hidden('accepted'))
      : h('input', { type: 'checkbox', 'aria-label': `Accept ${name}`, checked: !left(run, one), onchange: () => keep(() => (own.left[`${run.run} ${one.path}`] = !left(run, one))) }),
    fold(id, open, `${one.kind} ${name}, ${one.added} added, ${one.removed} removed`, path(one.path), h('span', { class: 'kind' }, kind), !kind && hidden(` ${one.kind} `), counts(one.added, one.removed)),
    one.landed && one.kind !== 'deleted' && button('Open', { type: 'show', uri: one.uri }, { class: 'link', 'aria-label': `Open ${one.path}` })),
  open && one.diff !== '' && [...diff(one.diff, name), button('Compare in the editor', { type: 'compare', path: one.path }, { class: 'link', 'aria-label': `Compare in the editor: ${name}` })]);
}

// -- what is to be decided: always in sight -------------------------------------------------------------

function decide(run: Run | null): Kid[] {
  if (state.asks.length > 0) return state.asks.map(asked);
  if (run?.running) return [h('div', { class: 'row' }, h('span', { class: 'soft grow' }, icon('working'), ' Working…'), button('Stop', { type: 'stop' }))];
  const rest = run?.changes?.filter((one) => !one.landed) ?? [];
  const chosen = run ? rest.filter((one) => !left(run, one)) : [];
  const some = chosen.length > 0 && chosen.length < rest.length;
  return [
    rest.length > 0 && h('div', { key: 'accept', class: 'row' },
      some && button(`Accept ${chosen.length} selected`, { type: 'land', files: chosen.map((one) => one.path) }, { class: 'primary' }),
      button(rest.length < (run?.changes ?? []).length ? 'Accept the rest' : `Accept all ${rest.length}`, { type: 'land', files: null }, { class: some ? '' : 'primary' }),
      button('Discard', { type: 'home' }, { title: 'Nothing changes. The run stays in the list, and can be accepted later.' })),
    run?.undoable && h('div', { key: 'undo', class: 'row' },
      button('Undo', { type: 'undo', run: run.run }, { title: 'Take back all that this run has changed' }),
      button('Save all', { type: 'save' }),
      button('Commit…', { type: 'commit', run: run.run }, { title: 'Commit the files of this run and nothing else; you see the message first' })),
    run?.resumable && h('form', { key: 'resume', class: 'row', onsubmit: submits(() => send({ type: 'resume', task: value('more') })) },
      h('input', { id: 'more', class: 'grow', 'aria-label': 'Something to say to the run, or nothing', placeholder: 'Say something, or just go on' }), h('button', { type: 'submit' }, 'Go on')),
    state.busy && h('p', { key: 'busy', class: 'soft' }, icon('working'), ` ${state.busy}`),
  ];
}

function asked({ id, title, detail, choices, free, diff: edit }: Ask): Tree {
  const say = (answer: string) => send({ type: 'answer', id, answer });
  return h('section', { key: id, class: 'ask', 'aria-labelledby': `ask${id}` }, h('h3', { id: `ask${id}`, tabindex: -1 }, title),
    edit ? diff(edit, title) : detail && region('pre', 'detail', 'Exactly what would happen', detail),
    h('div', { class: 'row' }, choices.map(({ text, answer }, first) => button(text, () => say(answer), { class: first ? '' : 'primary', disabled: false }))),
    free && h('form', { class: 'row', onsubmit: submits(() => say(value(`say${id}`))) },
      h('input', { id: `say${id}`, class: 'grow', 'aria-label': 'Your answer', placeholder: 'Another answer, or none' }), h('button', { type: 'submit' }, 'Answer')));
}

// -- drawing --------------------------------------------------------------------------------------------

function draw(): void {
  waiting ||= requestAnimationFrame(render);
}

function render(): void {
  waiting = 0;
  const focused = document.activeElement;
  const follows = state.run?.running && main.scrollTop + main.clientHeight >= main.scrollHeight - 40;
  const halted = state.server === 'stopped' && h('div', { key: 'server', class: 'problem' }, h('p', {}, 'The language server is not running.'),
    h('div', { class: 'row' }, button('Restart', { type: 'command', command: 'qwen-lsp.restart' }), button('Show log', { type: 'command', command: 'qwen-lsp.showLogs' })));
  patch(main, h('main', {}, halted, state.problem && h('p', { key: 'problem', class: 'problem', role: 'alert' }, state.problem),
    state.said && h('p', { key: 'said', class: 'saying' }, state.said), state.run ? whole(state.run) : home()).kids);
  patch(foot, h('footer', {}, decide(state.run)).kids);
  if (at('task') && at('task') !== document.activeElement) at('task').value = own.draft;
  if (follows) main.scrollTop = main.scrollHeight;
  // Whoever pressed a button that is gone now goes on with what took its place.
  if (focused && !focused.isConnected) (foot.querySelector<HTMLElement>('.ask h3') ?? main.querySelector<HTMLElement>('h2'))?.focus();
}

addEventListener('message', ({ data }: MessageEvent<ToPage>) => {
  if (data.type === 'focus') {
    render();
    (data.on === 'ask' ? foot.querySelector<HTMLElement>('.ask h3') : at('task'))?.focus();
  } else if (data.type === 'event' && state.run) {
    state = { ...state, run: after(state.run, data.event) };
    at('live').textContent = data.event.spoken || at('live').textContent;
    if (data.event.event === 'began') keep(() => (own.draft = ''));
  } else if (data.type === 'state') {
    const before: State | undefined = state;
    state = data.state;
    const ask = state.asks.find((one) => !before?.asks.some(({ id }) => id === one.id));
    at('live').textContent = ask ? `Waits for you: ${ask.title}` : state.said || at('live').textContent;
    if (before?.run?.run !== state.run?.run) main.scrollTop = 0;
    if (before?.run?.running && !state.run?.running) {
      render();
      at('changes')?.scrollIntoView();
    }
  }
  draw();
});
send({ type: 'ready' });
