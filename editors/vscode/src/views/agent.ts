/** The agent view: keeps what its page shows, and turns what the person does there into commands of the server. */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { said, type ServerHandle } from '../client.ts';
import { comparison, compare } from './compare.ts';
import type { AgentEvent, Ask, FromPage, Mode, Run, RunInfo, State, ToPage } from './messages.ts';
import { after, begun } from './model.ts';
import { here, showPage } from './pages.ts';

/** What came of a command, in words. */
interface Told { text?: string; problem?: string }

export class AgentView implements vscode.WebviewViewProvider {
  private readonly server: ServerHandle;
  private readonly folder: vscode.Uri;
  private readonly name: string;
  private view: vscode.WebviewView | undefined;
  private readonly answers = new Map<number, (answer: string) => void>();
  private readonly pinned = new Map<string, vscode.Uri>();
  private unwanted = '';
  private stream = '';
  private asked = 0;
  private focus: 'task' | 'ask' | undefined;
  private state: State;

  /** `name` is the view that this editor has: in its secondary side bar, else in its activity bar. */
  constructor(context: vscode.ExtensionContext, server: ServerHandle, name: string) {
    [this.server, this.folder, this.name] = [server, context.extensionUri, name];
    this.state = { server: server.state, mode: 'ask', pointed: [], runs: [], run: null, asks: [], busy: '', problem: '', said: '' };
    context.subscriptions.push(
      vscode.window.registerWebviewViewProvider(name, this),
      comparison(server),
      server.onDidChangeState((state) => this.connected(state)),
      server.onNotification<{ token: string; event: AgentEvent }>('qwen/agentEvent', ({ token, event }) => token === this.stream && this.happened(event)),
      ...['qwen/approve', 'qwen/ask'].map((name) =>
        server.onRequest<Ask, { answer: string }>(name, (ask, token) => this.ask({ ...ask, id: ++this.asked }, token))),
      vscode.window.onDidChangeActiveTextEditor(() => this.look()),
      vscode.window.onDidChangeTextEditorSelection(() => this.look()),
      vscode.workspace.onDidChangeConfiguration((change) => change.affectsConfiguration('qwen.agent') && this.look()),
    );
    this.look();
  }

  async resolveWebviewView(view: vscode.WebviewView): Promise<void> {
    this.view = view;
    view.webview.options = { enableScripts: true, localResourceRoots: [] };
    view.webview.onDidReceiveMessage((message: FromPage) => void this.received(message));
    view.onDidDispose(() => (this.view = undefined));
    const read = async (...path: string[]) => new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(this.folder, ...path)));
    view.webview.html = shell(await read('media', 'agent.css'), await read('dist', 'agent.webview.js'));
  }

  /** Brings the view before the person, with the focus where something is to be done. */
  async reveal(focus: 'task' | 'ask'): Promise<void> {
    this.focus = focus;
    if (focus === 'task' && !this.state.run?.running) this.show({ run: null });
    await vscode.commands.executeCommand(`${this.name}.focus`);
    this.send({ type: 'focus', on: focus });
  }

  /** Takes back a run, or the one that landed last. */
  async undo(run?: string): Promise<void> {
    const uri = vscode.window.activeTextEditor?.document.uri;
    await this.change('Takes it back…', 'qwen.undoEdit', run ? { run } : uri?.scheme === 'file' ? { uri: uri.toString() } : {});
  }

  // -- what the server tells ---------------------------------------------------------------------------

  private happened(event: AgentEvent): void {
    if (!this.state.run) return;
    this.state = { ...this.state, run: after(this.state.run, event) };
    this.send({ type: 'event', event });
  }

  private ask(ask: Ask, token: vscode.CancellationToken): Promise<{ answer: string }> {
    return new Promise((resolve) => {
      this.answers.set(ask.id, (answer) => {
        this.answers.delete(ask.id);
        this.show({ asks: this.state.asks.filter(({ id }) => id !== ask.id) });
        resolve({ answer });
      });
      token.onCancellationRequested(() => this.answers.get(ask.id)?.(''));
      this.show({ asks: [...this.state.asks, ask] });
      this.call(`Qwen waits for you: ${ask.title}`);
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
    const { run } = this.state;
    this.show({ runs, run: run && { ...run, ...(run.running ? {} : runs.find((one) => one.run === run.run)) } });
  }

  // -- what the person does ----------------------------------------------------------------------------

  private async received(message: FromPage): Promise<unknown> {
    const run = this.state.run?.run ?? '';
    switch (message.type) {
      case 'ready':
        this.show({});
        if (this.focus) this.send({ type: 'focus', on: this.focus });
        this.focus = undefined;
        return this.refresh();
      case 'start': return this.carryOut(begun(message.task), { task: message.task, mode: message.mode, ...this.about() });
      case 'resume': return this.state.run && this.carryOut({ ...this.state.run, running: true, state: 'Running', changes: null }, { resume: run, task: message.task });
      case 'stop': return this.work('Stops…', 'qwen.stopEdit', run ? { run } : {});
      case 'answer': return this.answers.get(message.id)?.(message.answer);
      case 'land': return this.change('Changes your files…', 'qwen.landEdit', message.files ? { run, files: message.files } : { run });
      case 'undo': return this.undo(message.run);
      case 'home':
        this.show({ run: null, said: '', problem: '' });
        return this.refresh();
      case 'open': return this.open(message.run);
      case 'page': {
        const told = await this.work<{ page: { path: string } }>('Writes the page…', 'qwen.showRun', { run, ...here() });
        return told && showPage(`Run ${run}`, told);
      }
      case 'commit': return this.work('Commits…', 'qwen.commitEdit', { run });
      case 'show': return vscode.commands.executeCommand('vscode.open', vscode.Uri.parse(message.uri));
      case 'compare': return compare(run, message.path);
      case 'save': // The command of VS Code leaves out texts that no tab has been made for yet.
        return Promise.all(vscode.workspace.textDocuments.filter((text) => text.isDirty && !text.isUntitled).map((text) => text.save()));
      case 'command': return vscode.commands.executeCommand(message.command);
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

  private async carryOut(run: Run, wish: object): Promise<void> {
    const before = this.state.run;
    this.stream = randomBytes(8).toString('hex');
    this.show({ run, problem: '', said: '' });
    try {
      const made = await this.server.command<Told & Run & { summary: string }>('qwen.edit', { ...wish, stream: this.stream, apply: false });
      const { reason, summary, changes, text = '', problem = '' } = made;
      this.show({ run: this.state.run && { ...this.state.run, reason, changes, running: false }, problem });
      this.call(`Qwen is done. ${changes?.length ? text : summary || reason}`);
    } catch (error) {
      const stopped = this.state.run?.run ? { ...this.state.run, running: false } : before;
      this.show({ run: stopped, problem: said(error) });
      this.call(said(error));
    }
    return this.refresh();
  }

  private async open(run: string): Promise<void> {
    const info = this.state.runs.find((one) => one.run === run);
    if (!info) return;
    this.show({ run: { ...begun(info.task), ...info } });
    const told = await this.work<Pick<Run, 'changes'>>('Reads the run…', 'qwen.showRun', { run, form: 'changes' });
    if (told && this.state.run?.run === run) this.show({ run: { ...this.state.run, changes: told.changes } });
  }

  /** Has files changed, and looks what of the run that is shown has landed now. */
  private async change(busy: string, command: string, argument: object): Promise<void> {
    const made = await this.work<{ run: string }>(busy, command, argument);
    const told = made && await this.server.command<Pick<Run, 'changes'>>('qwen.showRun', { run: made.run, form: 'changes' });
    if (told && this.state.run?.run === made.run) this.show({ run: { ...this.state.run, changes: told.changes } });
    return this.refresh();
  }

  /** Has the server do something that takes a moment, and says what came of it; where it failed there is no result. */
  private async work<R>(busy: string, command: string, argument: object): Promise<R | undefined> {
    this.show({ busy, problem: '', said: '' });
    try {
      const made = await this.server.command<R & Told>(command, argument);
      this.show({ problem: made.problem ?? '', said: made.problem ? '' : made.text ?? '' });
      this.call(made.text ?? '');
      return made;
    } catch (error) {
      this.show({ problem: said(error) });
      this.call(said(error));
      return undefined;
    } finally {
      this.show({ busy: '' });
    }
  }

  // -- what is shown -----------------------------------------------------------------------------------

  /** The file in front, with what is selected, and those that were added: as the task will name them. */
  private look(): void {
    const mode = vscode.workspace.getConfiguration('qwen').get<Mode>('agent.mode', 'ask');
    const [editor, range] = [this.editor(), this.editor()?.selection];
    const lines = range && !range.isEmpty ? `:${range.start.line + 1}-${range.end.line + 1}` : '';
    const uris = new Map([...(editor ? [[editor.document.uri.toString(), editor.document.uri] as const] : []), ...this.pinned]);
    const pointed = [...uris].map(([uri, file], first) => ({ uri, label: vscode.workspace.asRelativePath(file) + (editor && !first ? lines : '') }));
    if (JSON.stringify([mode, pointed]) !== JSON.stringify([this.state.mode, this.state.pointed])) this.show({ mode, pointed });
  }

  private editor(): vscode.TextEditor | undefined {
    const editor = vscode.window.activeTextEditor;
    return editor?.document.uri.scheme === 'file' && editor.document.uri.toString() !== this.unwanted ? editor : undefined;
  }

  private about(): object {
    const editor = this.editor();
    const [files, uri] = [[...this.pinned.keys()], editor?.document.uri.toString()];
    return { files, ...(uri || files[0] ? { uri: uri ?? files[0] } : {}), ...(editor?.selection.isEmpty === false ? { range: wire(editor.selection) } : {}) };
  }

  private show(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    if (this.view) this.view.badge = this.state.asks.length ? { value: this.state.asks.length, tooltip: 'Qwen waits for you' } : undefined;
    this.send({ type: 'state', state: this.state });
  }

  private send(message: ToPage): void {
    void this.view?.webview.postMessage(message);
  }

  /** Says something while the view is not to be seen, with a way to it. */
  private call(text: string): void {
    if (!text || this.view?.visible) return;
    void vscode.window.showInformationMessage(text, 'Show').then((answer) => answer && this.reveal('ask'));
  }
}

export const wire = ({ start, end }: vscode.Range) => ({ start: { line: start.line, character: start.character }, end: { line: end.line, character: end.character } });

/** The page: it may use its own style sheet and run its own script, which are in it, and load nothing. */
function shell(style: string, script: string): string {
  const nonce = randomBytes(16).toString('base64');
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><title>Qwen agent</title>
<style nonce="${nonce}">${style}</style></head><body><h1 class="hidden">Qwen agent</h1><main id="main" tabindex="-1"></main>
<footer id="foot"></footer><div id="live" class="hidden" role="status"></div><script nonce="${nonce}">${script}</script></body></html>`;
}
