/**
 * A terminal as a user has it: a pty with an emulator behind it, whose screen can be read.
 *
 * Nothing here sleeps. `until()` looks again whenever the program has drawn something; its deadline is only there
 * to end a test that waits for what never comes, and then shows the screen.
 */
import pty from '@lydell/node-pty';
import xterm from '@xterm/headless';

export interface TerminalOptions {
  readonly cwd?: string;
  readonly columns?: number;
  readonly rows?: number;
  /** Undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Screen {
  /** What stands on the screen, without the blanks at the ends of lines. */
  readonly text: () => string;
  readonly lines: () => readonly string[];
  /** All bytes that the program has written so far: for what does not show, such as modes left on. */
  readonly written: () => string;
  readonly onAlternateScreen: () => boolean;
  readonly type: (keys: string) => void;
  readonly resize: (columns: number, rows: number) => void;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Wait until the screen is as wanted, and return its text. `what` completes "waited for ...". */
  readonly until: (wanted: string | RegExp | ((text: string) => boolean), what?: string) => Promise<string>;
  /** Wait for the end of the program: its exit code, or 128 and the number of the signal that ended it. */
  readonly ended: () => Promise<number>;
}

const DEADLINE_MS = 60_000;

export function terminal(command: string, args: readonly string[], options: TerminalOptions = {}): Screen {
  const { columns = 80, rows = 24 } = options;
  const env = { ...process.env, TERM: 'xterm-256color', COLORTERM: 'truecolor', CI: undefined, ...options.env };
  const emulator = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  const child = pty.spawn(command, [...args], {
    name: 'xterm-256color',
    cols: columns,
    rows,
    cwd: options.cwd ?? process.cwd(),
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
  });

  const looks = new Set<() => void>();
  let written = '';
  let shown = 0;
  let code: number | null = null;
  /** Between the marks of a synchronized update a terminal shows nothing, and so nobody may look. */
  const drawing = (): boolean => {
    const before = written.slice(0, shown);
    return code === null && before.lastIndexOf('\x1b[?2026h') > before.lastIndexOf('\x1b[?2026l');
  };
  const lookAgain = (): void => {
    for (const look of [...looks]) look();
  };
  child.onData(data => {
    written += data;
    const upto = written.length;
    emulator.write(data, () => {
      shown = upto;
      lookAgain();
    });
  });
  emulator.onData(reply => child.write(reply));
  child.onExit(({ exitCode, signal }) => {
    code = signal ? 128 + signal : exitCode;
    emulator.write('', lookAgain); // What was still under way comes before.
  });

  const lines = (): readonly string[] => {
    const { active } = emulator.buffer;
    return Array.from({ length: emulator.rows }, (_, row) => {
      return active.getLine(active.baseY + row)?.translateToString(true) ?? '';
    });
  };
  const text = (): string => lines().join('\n').trimEnd();

  function wait<T>(look: () => T | null, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): boolean => {
        if (drawing()) return false;
        const found = look();
        if (found !== null) resolve(found);
        else if (code !== null) reject(new Error(`waited for ${what}, but the program ended with ${code}:\n${text()}`));
        else return false;
        return true;
      };
      if (settle()) return;
      const finish = (): void => {
        clearTimeout(guard);
        looks.delete(check);
      };
      const check = (): void => {
        if (settle()) finish();
      };
      const guard = setTimeout(() => {
        finish();
        child.kill('SIGKILL');
        reject(new Error(`waited for ${what}; the screen is\n${text()}`));
      }, DEADLINE_MS);
      looks.add(check);
    });
  }

  return {
    text,
    lines,
    written: () => written,
    onAlternateScreen: () => emulator.buffer.active.type === 'alternate',
    type: keys => child.write(keys),
    resize(to_columns, to_rows) {
      child.resize(to_columns, to_rows);
      emulator.resize(to_columns, to_rows);
    },
    kill: signal => child.kill(signal),
    until(wanted, what = String(wanted)) {
      const fits = typeof wanted === 'function' ? wanted : (shown: string) => shown.search(wanted) >= 0;
      const search = typeof wanted === 'string' ? (shown: string) => shown.includes(wanted) : fits;
      return wait(() => (search(text()) ? text() : null), what);
    },
    ended: () => wait(() => code, 'its end'),
  };
}
