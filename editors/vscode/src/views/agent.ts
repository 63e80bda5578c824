/** The agent view: keeps what its page shows, and turns what the person does there into commands of the server. */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { ServerHandle } from '../client.ts';
import type { AgentEvent, Ask, Change, FromView, Mode, Run, RunInfo, State, ToView, Usage } from './messages.ts';
import { after, begun, listed } from './model.ts';
import { showPage } from './pages.ts';

interface Landing { applied: boolean; files: { path: string; state: string }[]; problem?: string; undone?: boolean }
interface Result {
  run: string | null; ended: string; reason: string; summary: string; turns: number; usage: Usage | null;
  cost: number | null; changes?: Change[]; problem?: string;
}

export class AgentView implements vscode.WebviewViewProvider {
  private view: vscode.WebviewView | undefined;
  private readonly answers = new Map<number, (answer: string) => void>();
  private readonly pinned = new Map<string, vscode.Uri>();
  private going: Run | undefined;
  private stream = '';
  private asked = 0;
  private unwanted = '';
  private focus: 'task' | 'ask' | undefined;
  private state: State;
  private readonly context: vscode.ExtensionContext;
  private readonly server: ServerHandle;
  private readonly name: string;

  /** `name` is the view that this editor has: in its secondary side bar, else in its activity bar. */
  constructor(context: vscode.ExtensionContext, server: ServerHandle, name: string) {
    [this.context, this.server, this.name] = [context, server, name];
    this.state = { server: server.state, mode: 'ask', pointed: [], runs: [], run: null, asks: [], busy: '', problem: '', said: '' };
    context.subscriptions.push(
      vscode.window.registerWebviewViewProvider(name, this),
      server.onDidChangeState((state) => this.connected(state)),
      server.onNotification<{ token: string; event: AgentEvent }>('qwen/agentEvent', (told) => this.happened(told)),
      server.onRequest<{ title: string; detail: string; kind: string }, { answer: string }>('qwen/approve', (told, token) =>
        this.ask({ ask: 'leave', id: ++this.asked, title: told.title, detail: told.detail, kind: told.kind }, token)),
      server.onRequest<{ question: string; options: string[] }, { answer: string }>('qwen/ask', (told, token) =>
        this.ask({ ask: 'question', id: ++this.asked, question: told.question, options: told.options }, token)),
      vscode.window.onDidChangeActiveTextEditor(() => this.look()),
      vscode.window.onDidChangeTextEditorSelection(() => this.look()),
      vscode.workspace.onDidSaveTextDocument(() => this.show({})),
      vscode.workspace.onDidChangeConfiguration((change) => change.affectsConfiguration('qwen.agent') && this.look()),
    );
    this.look();
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    const file = (...path: string[]) => view.webview.asWebviewUri(vscode.Uri.joinPath(this.context.extensionUri, ...path)).toString();
    view.webview.options = { enableScripts: true, localResourceRoots: ['dist', 'media'].map((path) => vscode.Uri.joinPath(this.context.extensionUri, path)) };
    view.webview.onDidReceiveMessage((message: FromView) => void this.received(message));
    view.onDidDispose(() => (this.view = undefined));
    view.webview.html = shell(view.webview.cspSource, file('media', 'agent.css'), file('dist', 'agent.webview.js'));
  }

  /** Brings the view before the person, with the focus where something is to be done. */
  async reveal(focus: 'task' | 'ask'): Promise<void> {
    this.focus = focus;
    if (focus === 'task' && !this.going?.live) this.show({ run: null });
    await vscode.commands.executeCommand(`${this.name}.focus`);
    this.send({ type: 'focus', on: focus });
  }

  /** Takes back a run, or the one that landed last. */
  async undo(run?: string): Promise<void> {
    const uri = vscode.window.activeTextEditor?.document.uri;
    const made = await this.work('Takes it back…', () =>
      this.server.command<Landing & { run: string }>('qwen.undoEdit', run ? { run } : uri?.scheme === 'file' ? { uri: uri.toString() } : {}));
    if (made && this.state.run?.run === made.run && made.undone) this.show({ run: { ...this.state.run, states: {} } });
    if (made) await this.told(made, made.undone ? `Taken back: ${files(made.files.length)}.` : '');
    await this.refresh();
  }

  // -- what the server tells ---------------------------------------------------------------------------

  private happened({ token, event }: { token: string; event: AgentEvent }): void {
    if (token !== this.stream || !this.going) return;
    const shown = this.state.run === this.going;
    this.going = after(this.going, event);
    if (!shown) return;
    this.state = { ...this.state, run: this.going };
    this.send({ type: 'event', event });
  }

  private ask(ask: Ask, token: vscode.CancellationToken): Promise<{ answer: string }> {
    return new Promise((resolve) => {
      const answered = (answer: string) => {
        this.answers.delete(ask.id);
        this.show({ asks: this.state.asks.filter((one) => one.id !== ask.id) });
        resolve({ answer });
      };
      this.answers.set(ask.id, answered);
      token.onCancellationRequested(() => answered(''));
      this.show({ asks: [...this.state.asks, ask] });
      void this.call(`Qwen waits for you: ${ask.ask === 'leave' ? ask.title : ask.question}`, 'ask');
    });
  }

  private connected(server: State['server']): void {
    this.show({ server });
    if (server === 'running') void this.refresh();
    else this.answers.forEach((answer) => answer(''));
  }

  private async refresh(): Promise<void> {
    if (this.server.state !== 'running' || !this.view) return;
    const runs = await this.server.command<RunInfo[]>('qwen.agentRuns').catch(() => this.state.runs);
    const info = runs.find((one) => one.run === this.state.run?.run);
    const { run } = this.state;
    const known = run && info ? { ...run, resumable: info.resumable && !run.live, undoable: info.undoable && !run.live } : run;
    if (run && run === this.going && known) this.going = known;
    this.show({ runs, run: known });
  }

  // -- what the person does ----------------------------------------------------------------------------

  private async received(message: FromView): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.show({});
        if (this.focus) this.send({ type: 'focus', on: this.focus });
        this.focus = undefined;
        return this.refresh();
      case 'start': return this.carryOut(message.task, { task: message.task, mode: message.mode, ...this.about() });
      case 'resume': return this.carryOut(message.task, { resume: message.run, ...(message.task ? { task: message.task } : {}) });
      case 'stop': return void this.work('Stops…', () => this.server.command('qwen.stopEdit', this.going?.run ? { run: this.going.run } : {}));
      case 'answer': return this.answers.get(message.id)?.(message.answer);
      case 'land': return this.land(message.run, message.files);
      case 'undo': return this.undo(message.run);
      case 'home':
        this.show({ run: null, said: '', problem: '' });
        return this.refresh();
      case 'open': return this.open(message.run);
      case 'page': {
        const told = await this.work('Writes the page…', () => this.server.command<{ page: { path: string } }>('qwen.showRun', { run: message.run, form: 'html', show: false }));
        return told && showPage(`Run ${message.run}`, told.page.path);
      }
      case 'commit': {
        const made = await this.work('Commits…', () => this.server.command<{ commit: { subject: string } | null; problem?: string }>('qwen.commitEdit', { run: message.run }));
        return this.show({ problem: made?.problem ?? this.state.problem, said: made?.commit ? `Committed: ${made.commit.subject}` : '' });
      }
      case 'save':
        await Promise.all(this.dirty(this.state.run).map((document) => document.save()));
        return this.show({ said: 'Saved.' });
      case 'openFile': return void vscode.commands.executeCommand('vscode.open', vscode.Uri.parse(message.uri));
      case 'command': return void vscode.commands.executeCommand(message.command);
      case 'unpoint':
        if (!this.pinned.delete(message.uri)) this.unwanted = message.uri;
        return this.look();
      case 'point': {
        const found = await vscode.workspace.findFiles('**/*', '**/{.git,.venv,node_modules,__pycache__}/**', 5000);
        const items = found.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri })).sort((a, b) => a.label.localeCompare(b.label));
        const picked = await vscode.window.showQuickPick(items, { canPickMany: true, title: 'Files that the task is about' });
        picked?.forEach(({ uri }) => this.pinned.set(uri.toString(), uri));
        this.look();
        return this.reveal('task');
      }
    }
  }

  private async carryOut(task: string, wish: object): Promise<void> {
    if (this.going?.live) return this.show({ problem: 'A run is going on. Stop it, or wait until it is over.' });
    const before = this.state.run;
    this.stream = randomBytes(8).toString('hex');
    this.going = before ? { ...before, live: true, told: true, changes: [], ended: null, resumable: false, undoable: false } : begun(task);
    this.show({ run: this.going, problem: '', said: '' });
    try {
      const { run, changes = [], problem = '', ...told } = await this.server.command<Result>('qwen.edit', { ...wish, stream: this.stream, apply: false });
      this.over({ ...this.going, ...told, run: run ?? this.going.run, changes, live: false }, problem);
      void this.call(changes.length ? `Qwen is done: ${files(changes.length)} to look at.` : `Qwen is done. ${told.summary || told.reason}`, 'ask');
    } catch (error) {
      const run = { ...this.going, live: false, ended: 'endpoint', reason: '' };
      this.over(run.run ? run : before, said(error));
    }
    return this.refresh();
  }

  private over(run: Run | null, problem: string): void {
    const shown = this.state.run === this.going;
    this.going = run ?? undefined;
    this.show(shown ? { run, problem } : {});
  }

  private async open(run: string): Promise<void> {
    const info = this.state.runs.find((one) => one.run === run);
    if (this.going?.live && this.going.run === run) return this.show({ run: this.going, said: '', problem: '' });
    if (!info) return;
    this.show({ run: listed(info), said: '', problem: '' });
    const told = await this.work('Reads the run…', () => this.server.command<{ changes: Change[] }>('qwen.showRun', { run, form: 'changes' }));
    if (told && this.state.run?.run === run) this.show({ run: { ...this.state.run, changes: told.changes, told: true } });
  }

  private async land(run: string, chosen: string[] | null): Promise<void> {
    const made = await this.work('Changes your files…', () => this.server.command<Landing>('qwen.landEdit', chosen ? { run, files: chosen } : { run }));
    if (!made) return;
    if (this.state.run?.run === run) {
      const states = Object.fromEntries(made.files.map((file) => [file.path, file.state]));
      this.show({ run: { ...this.state.run, states: { ...this.state.run.states, ...states } } });
    }
    await this.told(made, made.applied ? `Changed: ${files(made.files.length)}.` : '');
    await this.refresh();
  }

  private async told(made: Landing, well: string): Promise<void> {
    this.show({ said: well, problem: made.problem ?? '' });
    if (!this.view?.visible) await this.call(made.problem ?? well, 'ask');
  }

  /** Does something that takes a moment; what goes wrong is shown, and then there is no result. */
  private async work<R>(busy: string, what: () => Promise<R>): Promise<R | undefined> {
    this.show({ busy, problem: '', said: '' });
    try {
      return await what();
    } catch (error) {
      this.show({ problem: said(error) });
      if (!this.view?.visible) void vscode.window.showErrorMessage(said(error));
      return undefined;
    } finally {
      this.show({ busy: '' });
    }
  }

  // -- what is shown -----------------------------------------------------------------------------------

  /** The file in front and those that were added, as the task will name them. */
  private look(): void {
    const mode = vscode.workspace.getConfiguration('qwen').get<Mode>('agent.mode', 'ask');
    const editor = this.editor();
    const selection = editor && !editor.selection.isEmpty ? `:${editor.selection.start.line + 1}-${editor.selection.end.line + 1}` : '';
    const uris = [...(editor ? [editor.document.uri] : []), ...this.pinned.values()];
    const pointed = [...new Map(uris.map((uri) => [uri.toString(), uri]))].map(([uri, { path }], at) => (
      { uri, label: `${vscode.workspace.asRelativePath(vscode.Uri.parse(uri)) || path}${at === 0 && editor ? selection : ''}` }));
    if (JSON.stringify([mode, pointed]) !== JSON.stringify([this.state.mode, this.state.pointed])) this.show({ mode, pointed });
  }

  private editor(): vscode.TextEditor | undefined {
    const editor = vscode.window.activeTextEditor;
    return editor?.document.uri.scheme === 'file' && editor.document.uri.toString() !== this.unwanted ? editor : undefined;
  }

  private about(): object {
    const editor = this.editor();
    const rest = [...this.pinned.keys()];
    const uri = editor ? editor.document.uri.toString() : rest[0];
    return { ...(uri ? { uri } : {}), ...(editor && !editor.selection.isEmpty ? { range: { start: editor.selection.start, end: editor.selection.end } } : {}), files: rest };
  }

  private dirty(run: Run | null): vscode.TextDocument[] {
    const landed = new Set(run?.changes.filter((change) => run.states[change.path] === 'applied').map((change) => vscode.Uri.parse(change.uri).toString()));
    return vscode.workspace.textDocuments.filter((document) => document.isDirty && landed.has(document.uri.toString()));
  }

  private show(change: Partial<State>): void {
    const same = this.state.run === this.going;
    this.state = { ...this.state, ...change };
    const unsaved = this.dirty(this.state.run).length;
    if (this.state.run && this.state.run.unsaved !== unsaved) {
      const run = { ...this.state.run, unsaved };
      if (this.state.run === this.going || (same && !('run' in change))) this.going = run;
      this.state = { ...this.state, run };
    }
    if (this.view) this.view.badge = this.state.asks.length ? { value: this.state.asks.length, tooltip: 'Qwen waits for you' } : undefined;
    this.send({ type: 'state', state: this.state });
  }

  private send(message: ToView): void {
    void this.view?.webview.postMessage(message);
  }

  /** Says something where the view is not to be seen, with a way to it. */
  private async call(text: string, focus: 'ask'): Promise<void> {
    if (this.view?.visible) return;
    if (await vscode.window.showInformationMessage(text, 'Show')) await this.reveal(focus);
  }
}

const files = (count: number) => (count === 1 ? '1 file' : `${count} files`);
const said = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The page: it may run its one script and use its one style sheet, and load nothing else. */
function shell(source: string, style: string, script: string): string {
  const nonce = randomBytes(16).toString('base64');
  const policy = `default-src 'none'; style-src ${source}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Qwen agent</title><link rel="stylesheet" href="${style}"></head>
<body><h1 class="hidden">Qwen agent</h1><main id="main" tabindex="-1"></main><footer id="foot"></footer>
<div id="live" class="hidden" role="status" aria-live="polite"></div><script nonce="${nonce}" src="${script}"></script></body></html>`;
}
