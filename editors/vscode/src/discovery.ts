// Which program is the server. Knows nothing of VS Code: what it asks of the machine is passed in.
import * as path from 'node:path';

export type Strategy = 'useBundled' | 'fromEnvironment';

/** What the settings and the window ask for. */
export interface Wish {
  /** `qwen.server.path`: a path, or a name on PATH. Empty: look for it. */
  readonly path: string;
  readonly strategy: Strategy;
  /** `qwen.server.interpreter`: a Python that has qwen_lsp. Empty: the one of the Python extension. */
  readonly interpreter: string;
  readonly args: readonly string[];
  /** Whether the person trusts the workspace; if not, no program of the workspace is started. */
  readonly trusted: boolean;
  /** Absolute paths of the open folders. */
  readonly folders: readonly string[];
  /** The Python of the environment that this extension has installed the server into. */
  readonly bundled: string | undefined;
}

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether it is a file that can be started. */
  isProgram(file: string): boolean;
  /** The file behind all links; the path itself where there is none. */
  realPath(file: string): string;
  /** Whether this Python can import the server. */
  hasServer(python: string): Promise<boolean>;
  /** The interpreter chosen in the Python extension, when there is one. */
  activePython(): Promise<string | undefined>;
}

export interface Server {
  /** The program and what stands before the subcommand. */
  readonly program: readonly [string, ...string[]];
  /** The whole command line behind `program[0]`. */
  readonly args: readonly string[];
  /** Where it was found, to be read after "the server is". */
  readonly how: string;
}

/** A server, or a sentence on what is wrong with a setting, or neither: there is none on this machine. */
export interface Finding {
  readonly server?: Server;
  readonly problem?: string;
}

/** The server by the setting, else bundled, by interpreter or on PATH, in the order of the strategy. */
export async function findServer(wish: Wish, machine: Machine): Promise<Finding> {
  const place = (text: string) => expanded(text, wish, machine);
  const allowed = (file: string) => wish.trusted || !isWithin(file, wish, machine);
  if (wish.path !== '') {
    const file = hasFolder(wish.path) ? place(wish.path) : onPath(wish.path, wish, machine);
    if (file === undefined || !machine.isProgram(file)) {
      return { problem: `The setting qwen.server.path names ${wish.path}, and there is no such program.` };
    }
    if (!allowed(file)) return { problem: `The setting qwen.server.path names a program of this workspace, which is not trusted.` };
    return { server: asServer([file], wish, 'the one that qwen.server.path names') };
  }
  const bundled = async () =>
    wish.bundled !== undefined && machine.isProgram(wish.bundled)
      ? asServer(asModule(wish.bundled), wish, 'the one installed by this extension')
      : undefined;
  const interpreter = async () => {
    const named = wish.interpreter !== '';
    const python = named
      ? (hasFolder(wish.interpreter) ? place(wish.interpreter) : onPath(wish.interpreter, wish, machine))
      : wish.trusted ? await machine.activePython() : undefined;
    if (python === undefined || !machine.isProgram(python) || !allowed(python) || !(await machine.hasServer(python))) return undefined;
    return asServer(asModule(python), wish, named ? 'the one of qwen.server.interpreter' : "the one of the Python extension's interpreter");
  };
  const programs = async () => {
    const file = onPath('qwen-lsp', wish, machine);
    return file === undefined ? undefined : asServer([file], wish, 'the one on PATH');
  };
  const order = wish.strategy === 'useBundled' ? [bundled, interpreter, programs] : [interpreter, programs, bundled];
  for (const look of order) {
    const server = await look();
    if (server !== undefined) return { server };
  }
  return {};
}

/** Without the current folder on sys.path, so that no file of a workspace is taken for a module of the server. */
function asModule(python: string): [string, ...string[]] {
  return [python, '-P', '-m', 'qwen_lsp'];
}

function asServer(program: [string, ...string[]], wish: Wish, how: string): Server {
  return { program, args: [...program.slice(1), 'serve', ...wish.args], how };
}

/** A program on PATH. Relative entries are skipped, and those of a workspace that is not trusted. */
export function onPath(name: string, wish: Pick<Wish, 'trusted' | 'folders'>, machine: Machine): string | undefined {
  const style = styleOf(machine);
  const value = Object.entries(machine.env).find(([key]) => key.toUpperCase() === 'PATH')?.[1] ?? '';
  const endings = machine.platform === 'win32' ? ['.exe', '.cmd', '.bat', ''] : [''];
  for (const folder of value.split(style.delimiter).filter((entry) => style.isAbsolute(entry))) {
    for (const ending of endings) {
      const file = style.join(folder, name + ending);
      if (machine.isProgram(file) && (wish.trusted || !isWithin(file, wish, machine))) return file;
    }
  }
  return undefined;
}

function isWithin(file: string, wish: Pick<Wish, 'folders'>, machine: Machine): boolean {
  const style = styleOf(machine);
  const names = [file, machine.realPath(file), style.join(machine.realPath(style.dirname(file)), style.basename(file))];
  const folders = wish.folders.flatMap((folder) => [folder, machine.realPath(folder)]);
  return folders.some((folder) =>
    names.some((name) => {
      const relative = style.relative(folder, name);
      return relative !== '..' && !relative.startsWith('..' + style.sep) && !style.isAbsolute(relative);
    }),
  );
}

function expanded(text: string, wish: Wish, machine: Machine): string {
  const style = styleOf(machine);
  const root = wish.folders[0] ?? machine.home;
  const whole = text.replace(/^~(?=$|[\\/])/, () => machine.home).replaceAll('${workspaceFolder}', () => root);
  return style.resolve(root, whole);
}

function hasFolder(text: string): boolean {
  return /[\\/]/.test(text) || text.startsWith('~') || text.includes('${');
}

function styleOf(machine: Machine): path.PlatformPath {
  return machine.platform === 'win32' ? path.win32 : path.posix;
}
