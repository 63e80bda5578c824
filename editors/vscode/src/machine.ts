// What discovery and installation ask of the machine, and programs run to their end.
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import type { Machine } from './discovery.ts';

export function thisMachine(activePython: () => Promise<string | undefined>): Machine {
  return {
    platform: process.platform,
    home: homedir(),
    env: process.env,
    isProgram,
    realPath: (file) => (existsSync(file) ? realpathSync(file) : file),
    async hasServer(python) {
      const probe = 'import importlib.util, sys; sys.exit(importlib.util.find_spec("qwen_lsp") is None)';
      return (await run([python, '-P', '-c', probe])).status === 0;
    },
    activePython,
  };
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

export interface Outcome {
  /** The exit status; null when it was stopped or could not be started. */
  readonly status: number | null;
  readonly lines: readonly string[];
}

/** Run a program to its end, from the home folder; `tell` gets each line of its output. Never throws. */
export function run(command: readonly string[], tell?: (line: string) => void, signal?: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const lines: string[] = [];
    const hear = (line: string) => {
      lines.push(line);
      tell?.(line);
    };
    const [program = '', ...args] = command;
    const child = spawn(program, args, { cwd: homedir(), stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) });
    createInterface(child.stdout).on('line', hear);
    createInterface(child.stderr).on('line', hear);
    child.on('error', (error) => {
      hear(error.message);
      resolve({ status: null, lines });
    });
    child.on('close', (status) => resolve({ status, lines }));
  });
}
