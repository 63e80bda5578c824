// The server installed from the wheel that this extension carries, into an environment of its own.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { type Machine, onPath } from './discovery.ts';
import { type Outcome, run } from './machine.ts';

const DONE = 'installed'; // a file that is written last, so that half an installation is never taken for one

/** The wheel among the files of the extension. */
export function wheelIn(folder: string): string | undefined {
  const name = existsSync(folder) ? readdirSync(folder).find((file) => file.endsWith('.whl')) : undefined;
  return name === undefined ? undefined : path.join(folder, name);
}

/** Where the server of a wheel is installed below `storage`: one environment for each version. */
export function environmentOf(storage: string, wheel: string): string {
  return path.join(storage, path.basename(wheel, '.whl'));
}

export function pythonIn(environment: string, platform: NodeJS.Platform): string {
  return platform === 'win32' ? path.join(environment, 'Scripts', 'python.exe') : path.join(environment, 'bin', 'python');
}

/** The Python of a finished installation: that of this wheel, else an older one; undefined: there is none. */
export function installed(storage: string, wheel: string | undefined, platform: NodeJS.Platform): { python: string; isCurrent: boolean } | undefined {
  const whole = existsSync(storage) ? readdirSync(storage).filter((name) => existsSync(path.join(storage, name, DONE))).sort() : [];
  const current = wheel === undefined ? undefined : path.basename(wheel, '.whl');
  const name = whole.find((name) => name === current) ?? whole.at(-1);
  return name === undefined ? undefined : { python: pythonIn(path.join(storage, name), platform), isCurrent: current === undefined || name === current };
}

/** A Python that can make the environment, or a sentence on what is missing. `preferred`: tried first. */
export async function findPython(machine: Machine, preferred: readonly string[]): Promise<{ python?: string; problem?: string }> {
  const everywhere = { trusted: true, folders: [] };
  const names = machine.platform === 'win32' ? ['python', 'python3', 'py'] : [...[14, 13, 12, 11].map((minor) => `python3.${minor}`), 'python3', 'python'];
  const found = names.map((name) => onPath(name, everywhere, machine)).filter((file) => file !== undefined);
  let without: string | undefined;
  for (const python of new Set([...preferred.filter((file) => machine.isProgram(file)), ...found])) {
    const probe = 'import importlib.util as u, sys; print(sys.version_info >= (3, 11), bool(u.find_spec("ensurepip")))';
    const [recent, whole] = (await run([python, '-I', '-c', probe])).lines.at(-1)?.split(' ') ?? [];
    if (recent === 'True' && whole === 'True') return { python };
    without ??= recent === 'True' ? python : undefined;
  }
  return without === undefined
    ? { problem: 'The server needs Python 3.11 or newer, and none was found. Install one, or name it in the setting qwen.server.interpreter.' }
    : { problem: `${without} cannot make environments: its package for that is missing. On Debian and Ubuntu: sudo apt install python3-venv` };
}

/** The two command lines of an installation. */
export function steps(python: string, environment: string, wheel: string, platform: NodeJS.Platform): string[][] {
  return [
    [python, '-m', 'venv', '--clear', environment],
    [pythonIn(environment, platform), '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', wheel],
  ];
}

/** Carry the steps out. A sentence on what went wrong, or undefined when the server is there. Older ones are removed. */
export async function install(commands: readonly string[][], environment: string, tell: (line: string) => void, signal: AbortSignal): Promise<string | undefined> {
  mkdirSync(path.dirname(environment), { recursive: true });
  rmSync(path.join(environment, DONE), { force: true });
  for (const command of commands) {
    tell(quoted(command));
    const outcome = await run(command, tell, signal);
    if (signal.aborted) {
      rmSync(environment, { recursive: true, force: true });
      return 'The installation was stopped.';
    }
    if (outcome.status !== 0) return `The server could not be installed: ${reason(outcome)}`;
  }
  writeFileSync(path.join(environment, DONE), '');
  for (const name of readdirSync(path.dirname(environment)).filter((name) => name !== path.basename(environment))) {
    rmSync(path.join(path.dirname(environment), name), { recursive: true, force: true });
  }
  return undefined;
}

/** What a program said of its failure: pip's last error, else its last line. */
export function reason({ lines, status }: Outcome): string {
  const told = lines.map((line) => line.trim()).filter((line) => line !== '');
  const error = told.findLast((line) => line.startsWith('ERROR: '))?.slice('ERROR: '.length);
  return error ?? told.at(-1) ?? `it ended with status ${status}.`;
}

/** A command line as it can be typed into a shell. */
export function quoted(command: readonly string[]): string {
  return command.map((word) => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`)).join(' ');
}
