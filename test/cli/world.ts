/** A terminal made of strings, in a folder of its own: the command line without a process. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { drive } from '../../src/cli/main.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { PLAIN } from '../../src/report/paint.ts';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface World {
  readonly folder: string;
  /** Runs a command line in the folder. */
  apflab(argv: readonly string[], more?: Partial<Terminal>): Promise<Said>;
}

/** Calls `body` with a folder that holds `files` and is gone afterwards. */
export async function inWorld(
  files: Readonly<Record<string, string | Uint8Array>>,
  body: (world: World) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'apflab-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    await body({ folder, apflab: (argv, more) => apflab(argv, folder, more) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function apflab(argv: readonly string[], cwd: string, more: Partial<Terminal> = {}): Promise<Said> {
  const said = { out: '', err: '' };
  const channel = (name: 'out' | 'err'): Terminal['out'] => ({
    paint: PLAIN,
    columns: () => 80,
    write(text) {
      said[name] += typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
    },
  });
  const terminal: Terminal = {
    env: {},
    cwd,
    tty: { in: false, out: false, err: false },
    size: () => null,
    out: channel('out'),
    err: channel('err'),
    stdin: () => new Uint8Array(),
    onInterrupt: () => () => {},
    now_ms: () => 0,
    ...more,
  };
  const code = await drive(argv, terminal);
  return { code, ...said };
}
