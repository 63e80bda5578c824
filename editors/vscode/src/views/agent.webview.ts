/** The script of the agent view's page: shows the state it is given, and says what the person does. */

import { counted, parse } from './diff.ts';
import { h, patch, type Kid, type Tree } from './dom.ts';
import type { Ask, Call, Change, Entry, FromView, Mode, Run, RunInfo, State, ToView } from './messages.ts';
import { after, words } from './model.ts';

/** What is the person's own on this screen: kept while the view is hidden. */
interface Own { draft: string; mode: Mode | null; open: Record<string, boolean>; left: Record<string, boolean> }

declare function acquireVsCodeApi(): { postMessage(message: FromView): void; getState(): Own | undefined; setState(own: Own): void };

const MOST_LINES = 400;
const MODES: [Mode, string][] = [['plan', 'Only plan'], ['ask', 'Ask before commands'], ['allow', 'Run commands in the sandbox']];
const ICONS = {
  done: 'M3 8.5l3.5 3.5L13 4.5', failed: 'M4 4l8 8M12 4l-8 8', pending: 'M8 4.5a3.5 3.5 0 1 0 .01 0z',
  working: 'M8 2.5a5.5 5.5 0 1 1-5.5 5.5', closed: 'M6 3.5L10.5 8L6 12.5', open: 'M3.5 6L8 10.5L12.5 6', back: 'M9.5 3.5L5 8l4.5 4.5',
};

const code = acquireVsCodeApi();
const own: Own = { draft: '', mode: null, open: {}, left: {}, ...code.getState() };
const main = document.getElementById('main') as HTMLElement;
const foot = document.getElementById('foot') as HTMLElement;
const live = document.getElementById('live') as HTMLElement;
let state: State | null = null;
let waiting = 0;
const drawn = new WeakMap<object, { tree: Tree; open: boolean }>();

const send = (message: FromView) => code.postMessage(message);
const compact = (count: number) => new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(count);
const many = (count: number, one: string, more = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : more}`;
const value = (id: string) => (document.getElementById(id) as HTMLTextAreaElement | HTMLSelectElement | null)?.value.trim() ?? '';

function keep(change: () => void): void {
  change();
  code.setState(own);
  draw();
}

// -- small pieces ---------------------------------------------------------------------------------------

function icon(name: keyof typeof ICONS): Tree {
  return h('svg', { class: `icon ${name}`, viewBox: '0 0 16 16', 'aria-hidden': 'true' }, h('path', { d: ICONS[name] }));
}

function button(text: string, message: FromView | (() => void), more: Record<string, string | boolean> = {}): Tree {
  const onclick = typeof message === 'function' ? message : () => send(message);
  return h('button', { type: 'button', key: text, onclick, ...more }, text);
}

/** A line that opens to what is behind it. */
function fold(id: string, usually: boolean, label: Kid[], name: string, body: () => Kid): Kid[] {
  const open = own.open[id] ?? usually;
  const onclick = () => keep(() => (own.open[id] = !open));
  return [
    h('button', { type: 'button', key: id, class: 'fold', 'aria-expanded': String(open), 'aria-label': name, title: name, onclick },
      icon(open ? 'open' : 'closed'), ...label),
    open && body(),
  ];
}

function path(text: string): Tree {
  const cut = text.lastIndexOf('/') + 1;
  return h('span', { class: 'path' }, h('span', { class: 'folder' }, text.slice(0, cut)), h('span', { class: 'base' }, text.slice(cut)));
}

function counts(added: number, removed: number): Kid {
  return h('span', { class: 'counts' }, h('span', { class: 'plus' }, `+${added}`), ' ', h('span', { class: 'minus' }, `−${removed}`));
}

function diff(text: string, name: string): Tree {
  const lines = parse(text);
  const all = own.open[`all ${name}`] || lines.length <= MOST_LINES;
  const rows = (all ? lines : lines.slice(0, MOST_LINES)).map((line) => {
    const mark = { same: ' ', added: '+', removed: '−', hunk: '', note: '' }[line.kind];
    return h('div', { class: `line ${line.kind}` },
      h('span', { class: 'number', 'aria-hidden': 'true' }, String(line.number ?? '')), h('span', { class: 'text' }, `${mark}${line.text}`));
  });
  return h('div', {},
    h('div', { class: 'diff', role: 'region', tabindex: 0, 'aria-label': `Changes in ${name}` }, h('div', { class: 'lines' }, ...rows)),
    !all && button(`Show all ${many(lines.length, 'line')}`, () => keep(() => (own.open[`all ${name}`] = true)), { class: 'link' }));
}

function text(kind: string, content: string, name: string): Tree {
  return h('pre', { class: kind, tabindex: 0, role: 'region', 'aria-label': name }, content);
}

function spent(run: Pick<Run, 'turns' | 'usage' | 'cost'>): string {
  const { prompt = 0, completion = 0, cached = 0 } = run.usage ?? {};
  return [
    run.turns > 0 && many(run.turns, 'turn'),
    prompt > 0 && `${compact(prompt)} tokens sent${cached ? ` (${Math.floor((100 * cached) / prompt)}% cached)` : ''}`,
    completion > 0 && `${compact(completion)} written`,
    run.cost !== null && `cost ${run.cost.toFixed(4)}`,
  ].filter(Boolean).join(' · ');
}

function ending(run: { live?: boolean; running?: boolean; ended: string | null }): string {
  if (run.live || run.running) return 'Running';
  return { done: 'Done', cancelled: 'Stopped' }[run.ended ?? ''] ?? (run.ended ? 'Stopped early' : 'Interrupted');
}

// -- the list of runs, and the task ---------------------------------------------------------------------

function home(now: State): Kid[] {
  const mode = own.mode && rank(own.mode) <= rank(now.mode) ? own.mode : now.mode;
  const start = () => {
    const task = value('task');
    if (!task) return document.getElementById('task')?.focus();
    send({ type: 'start', task, mode });
    return undefined;
  };
  return [
    h('h2', { key: 'title', tabindex: -1, class: 'hidden' }, 'A new task'),
    h('form', { key: 'form', class: 'task', onsubmit: (event: Event) => { event.preventDefault(); start(); } },
      h('label', { for: 'task' }, 'What should be done?'),
      h('textarea', {
        id: 'task', rows: 4, placeholder: 'Rename net to before_tax everywhere, and mention it in the docs.',
        oninput: (event: InputEvent) => { own.draft = (event.target as HTMLTextAreaElement).value; code.setState(own); },
        onkeydown: (event: KeyboardEvent) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) start(); },
      }),
      h('div', { class: 'chips', role: 'group', 'aria-label': 'Files pointed at' },
        ...now.pointed.map((file) => h('span', { key: file.uri, class: 'chip' }, path(file.label),
          h('button', { type: 'button', 'aria-label': `Do not point at ${file.label}`, title: 'Do not point at this file', onclick: () => send({ type: 'unpoint', uri: file.uri }) }, icon('failed')))),
        button('Add files…', { type: 'point' }, { class: 'link' })),
      h('div', { class: 'row' },
        h('label', { for: 'mode', class: 'hidden' }, 'What the run may do'),
        h('select', { id: 'mode', onchange: () => keep(() => (own.mode = value('mode') as Mode)) },
          ...MODES.filter(([name]) => rank(name) <= rank(now.mode)).map(([name, said]) => h('option', { value: name, selected: name === mode }, said))),
        h('button', { type: 'submit', class: 'primary', title: 'Start (Ctrl+Enter)', disabled: now.server !== 'running' || now.busy !== '' }, 'Start')),
      h('p', { class: 'soft' }, 'Works on a copy of your files. Nothing of yours changes before you have seen it and said yes.')),
    h('section', { key: 'runs', 'aria-labelledby': 'earlier' },
      h('h3', { id: 'earlier' }, 'Earlier runs'),
      now.runs.length === 0 && h('p', { class: 'soft' }, 'None yet. What a run changes, what it cost and how to take it back will be found here.'),
      now.runs.length > 0 && h('ul', { class: 'runs' }, ...now.runs.map(earlier))),
  ];
}

const rank = (mode: Mode) => MODES.findIndex(([name]) => name === mode);

function earlier(info: RunInfo): Tree {
  const when = new Date(info.begun).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
  const facts = [ending(info), info.files.length > 0 && many(info.files.length, 'file'), info.undoable && 'applied', when].filter(Boolean);
  return h('li', { key: info.run }, h('button', { type: 'button', class: 'run', onclick: () => send({ type: 'open', run: info.run }) },
    h('span', { class: 'name' }, info.task), h('span', { class: 'soft' }, facts.join(' · '))));
}

// -- one run --------------------------------------------------------------------------------------------

function whole(run: Run): Kid[] {
  const facts = spent(run);
  return [
    h('div', { key: 'bar', class: 'bar' }, button('All runs', { type: 'home' }, { class: 'link' }),
      run.run && !run.live && button('What happened', { type: 'page', run: run.run }, { class: 'link', title: 'Everything that happened in this run, as a page' })),
    h('h2', { key: 'title', tabindex: -1 }, run.task),
    h('p', { key: 'facts', class: 'facts' }, h('span', { class: `badge ${ending(run).split(' ')[0]?.toLowerCase()}` }, ending(run)), ' ', facts),
    !run.live && run.ended !== 'done' && run.reason && h('p', { key: 'reason', class: 'soft' }, run.reason),
    run.todos.length > 0 && h('section', { key: 'plan', 'aria-labelledby': 'plan' }, h('h3', { id: 'plan' }, 'Plan'),
      h('ol', { class: 'plan' }, ...run.todos.map(([step, status]) => {
        const at = ({ completed: 'done', in_progress: 'working' } as const)[status] ?? 'pending';
        return h('li', { class: at }, icon(at), h('span', { class: 'hidden' }, `${status.replaceAll('_', ' ')}: `), h('span', {}, step));
      }))),
    run.entries.length > 0 && h('section', { key: 'log', 'aria-labelledby': 'log' }, h('h3', { id: 'log' }, 'What happens'),
      h('ol', { class: 'log' }, ...run.entries.map((entry, at) => memo(entry, at, run.live)))),
    run.live && run.entries.length === 0 && h('p', { key: 'empty', class: 'soft' }, icon('working'), ' Looking at the workspace…'),
    run.told && !run.live && changes(run),
  ];
}

function memo(entry: Entry, at: number, isLive: boolean): Tree {
  const open = own.open[`call ${at}`] ?? false;
  const before = drawn.get(entry);
  if (before && before.open === open) return before.tree;
  const tree = h('li', { key: at, class: entry.kind }, ...line(entry, at, isLive));
  drawn.set(entry, { tree, open });
  return tree;
}

function line(entry: Entry, at: number, isLive: boolean): Kid[] {
  switch (entry.kind) {
    case 'said': return [h('p', { class: 'said' }, entry.text)];
    case 'note': return [h('p', { class: 'note' }, entry.text)];
    case 'asked': return [h('p', { class: 'note' }, `${entry.title} `, h('strong', {}, entry.answer ? `→ ${entry.answer}` : isLive ? 'Waits for you.' : ''))];
    case 'call': return call(entry, at);
  }
}

function call(entry: Call, at: number): Kid[] {
  const { added, removed } = counted(entry.diff);
  const tool = entry.tool.replaceAll('_', ' ');
  const status = entry.ok === null ? 'working' : entry.ok ? 'done' : 'failed';
  const label = [
    h('span', { class: `mark ${status}` }, icon(status)), h('span', { class: 'what' }, h('span', { class: 'tool' }, tool), ' ', h('code', {}, entry.about)),
    entry.diff !== '' && counts(added, removed),
  ];
  const behind = () => h('div', { class: 'behind' }, entry.diff && diff(entry.diff, `call ${at + 1}`),
    entry.printed && text('output', entry.printed, 'What the command printed'), !entry.diff && entry.text && text('output', entry.text, 'What the model was told'));
  const failed = entry.ok === false && h('p', { class: 'why' }, entry.text.split('\n').find((part) => part.trim()) ?? '');
  const tail = entry.ok === null && entry.printed && text('output tail', entry.printed.trimEnd().split('\n').slice(-6).join('\n'), 'What the command prints');
  return [...fold(`call ${at}`, false, label, `${tool} ${entry.about}, ${status}`, behind), failed, tail];
}

const dropped = (run: Run, change: Change) => own.left[`${run.run} ${change.path}`] ?? false;
const open = (run: Run) => run.changes.filter((change) => run.states[change.path] !== 'applied');

function changes(run: Run): Tree {
  const rest = open(run);
  return h('section', { key: 'changes', 'aria-labelledby': 'changes' },
    h('h3', { id: 'changes' }, run.changes.length ? `${many(run.changes.length, 'file')} changed` : 'Changes'),
    run.summary && run.entries.length === 0 && h('p', { class: 'said' }, run.summary),
    run.changes.length === 0 && h('p', { class: 'soft' }, 'Nothing was changed.'),
    h('ul', { class: 'changes' }, ...run.changes.map((change) => {
      const done = !rest.includes(change);
      const name = change.from ? `${change.from} → ${change.path}` : change.path;
      const box = h('input', {
        type: 'checkbox', 'aria-label': `Accept ${name}`, checked: !dropped(run, change),
        onchange: () => keep(() => (own.left[`${run.run} ${change.path}`] = !dropped(run, change))),
      });
      const label = [path(change.path), counts(change.added, change.removed)];
      return h('li', { key: change.path },
        h('div', { class: 'head' }, done ? h('span', { class: 'mark done', title: 'Accepted' }, icon('done'), h('span', { class: 'hidden' }, 'accepted')) : box,
          ...fold(`file ${run.run} ${change.path}`, run.changes.length <= 3, label, `${change.kind} ${name}, ${change.added} added, ${change.removed} removed`, () => null)),
        h('div', { class: 'sub' }, h('span', { class: `kind ${change.kind}` }, change.from ? `moved from ${change.from}` : change.kind),
          change.kind !== 'deleted' && done && button('Open', { type: 'openFile', uri: change.uri }, { class: 'link', 'aria-label': `Open ${change.path}` })),
        (own.open[`file ${run.run} ${change.path}`] ?? run.changes.length <= 3) && change.diff !== '' && diff(change.diff, name));
    })));
}

// -- what is to be decided: always in sight -------------------------------------------------------------

function decide(now: State): Kid[] {
  const { run } = now;
  if (now.asks.length > 0) return now.asks.map(asked);
  if (run === null) return [];
  if (run.live) return [h('div', { class: 'row' }, h('span', { class: 'soft grow' }, icon('working'), ' Working on a copy of your files'), button('Stop', { type: 'stop' }))];
  const rest = open(run);
  const chosen = rest.filter((change) => !dropped(run, change));
  const some = chosen.length > 0 && chosen.length < rest.length;
  const land = (files: string[] | null): FromView => ({ type: 'land', run: run.run, files });
  const disabled = now.busy !== '';
  return [
    run.told && rest.length > 0 && h('div', { key: 'accept', class: 'row' },
      some && button(`Accept ${chosen.length} selected`, land(chosen.map((change) => change.path)), { class: 'primary', disabled }),
      button(`Accept all ${rest.length}`, land(null), { class: some ? '' : 'primary', disabled }),
      button('Discard', { type: 'home' }, { title: 'Nothing changes. The run stays in the list, and can be accepted later.', disabled })),
    run.undoable && h('div', { key: 'undo', class: 'row' },
      run.unsaved > 0 && button(`Save ${many(run.unsaved, 'file')}`, { type: 'save' }, { class: 'primary', disabled }),
      button('Undo', { type: 'undo', run: run.run }, { title: 'Take back all that this run has changed', disabled }),
      button('Commit…', { type: 'commit', run: run.run }, { title: 'Commit the files of this run, and nothing else. You see the message first.', disabled })),
    run.resumable && h('form', { key: 'resume', class: 'row', onsubmit: (event: Event) => { event.preventDefault(); send({ type: 'resume', run: run.run, task: value('more') }); } },
      h('input', { id: 'more', class: 'grow', 'aria-label': 'Something to say to the run, or nothing', placeholder: 'Say something, or just go on' }),
      h('button', { type: 'submit', disabled }, 'Go on')),
    now.busy !== '' && h('p', { key: 'busy', class: 'soft' }, icon('working'), ` ${now.busy}`),
  ];
}

const LEAVE: Record<string, [string, string][]> = {
  edit: [['once', 'Apply'], ['no', 'Leave as it is']], commit: [['once', 'Yes'], ['no', 'Leave as it is']],
  usual: [['once', 'Allow once'], ['request', 'Allow for this run'], ['no', 'Refuse']],
};

function asked(ask: Ask): Tree {
  const say = (answer: string) => () => send({ type: 'answer', id: ask.id, answer });
  const [id, title] = [`ask-${ask.id}`, ask.ask === 'leave' ? ask.title : ask.question];
  const buttons = ask.ask === 'leave' ? LEAVE[ask.kind] ?? LEAVE.usual ?? [] : ask.options.map((option): [string, string] => [option, option]);
  return h('section', { key: id, class: 'ask', role: 'group', 'aria-labelledby': id },
    h('h3', { id, tabindex: -1 }, title),
    ask.ask === 'leave' && ask.detail && text('detail', ask.detail, 'Exactly what would happen'),
    h('div', { class: 'row' }, ...buttons.map(([answer, label], at) => button(label, say(answer), { class: at ? '' : 'primary' }))),
    ask.ask === 'question' && h('form', { class: 'row', onsubmit: (event: Event) => { event.preventDefault(); say(value(`answer-${ask.id}`))(); } },
      h('input', { id: `answer-${ask.id}`, class: 'grow', 'aria-label': 'Your answer', placeholder: 'Another answer' }), h('button', { type: 'submit' }, 'Answer')));
}

// -- drawing --------------------------------------------------------------------------------------------

function draw(): void {
  if (waiting === 0) waiting = requestAnimationFrame(() => { waiting = 0; render(); });
}

function render(): void {
  if (state === null) return;
  const focused = document.activeElement;
  const follows = main.scrollTop + main.clientHeight >= main.scrollHeight - 40;
  const halted = state.server === 'stopped' && h('div', { key: 'server', class: 'problem' }, h('p', {}, 'The language server is not running.'),
    h('div', { class: 'row' }, button('Restart', { type: 'command', command: 'qwen-lsp.restart' }), button('Show log', { type: 'command', command: 'qwen-lsp.showLogs' })));
  const trees = [
    halted, state.problem && h('p', { key: 'problem', class: 'problem', role: 'alert' }, state.problem),
    state.said && h('p', { key: 'said', class: 'saying' }, state.said), ...(state.run ? whole(state.run) : home(state)),
  ];
  patch(main, h('main', {}, ...trees).kids);
  patch(foot, h('footer', {}, ...decide(state)).kids);
  const task = document.getElementById('task') as HTMLTextAreaElement | null;
  if (task && task !== document.activeElement && task.value !== own.draft) task.value = own.draft;
  if (follows && state.run?.live) main.scrollTop = main.scrollHeight;
  // Whoever pressed a button that is gone now goes on at the top of what took its place.
  if (focused && focused !== document.body && !focused.isConnected) (foot.querySelector<HTMLElement>('.ask h3') ?? main.querySelector<HTMLElement>('h2'))?.focus();
}

function announce(said: string): void {
  if (said) live.textContent = said;
}

addEventListener('message', ({ data }: MessageEvent<ToView>) => {
  if (data.type === 'focus') {
    render();
    (data.on === 'ask' ? foot.querySelector<HTMLElement>('.ask h3') : document.getElementById('task'))?.focus();
  } else if (data.type === 'event' && state?.run) {
    state = { ...state, run: after(state.run, data.event) };
    announce(words(data.event));
    if (data.event.event === 'began') { own.draft = ''; code.setState(own); }
  } else if (data.type === 'state') {
    const [before, now] = [state, data.state];
    state = now;
    if (before?.run?.run !== now.run?.run || before?.run?.live !== now.run?.live) main.scrollTop = 0;
    const ask = now.asks.at(-1);
    if (ask && !before?.asks.some((one) => one.id === ask.id)) announce(`Waits for you: ${ask.ask === 'leave' ? ask.title : ask.question}`);
    else if (now.said !== before?.said) announce(now.said);
  }
  draw();
});
send({ type: 'ready' });
