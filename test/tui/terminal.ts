/** A real terminal for tests: a program in a pty, its screen kept by an emulator. */
import pty from '@lydell/node-pty';
import xterm from '@xterm/headless';

/** How long a screen may take on a loaded machine before the test is called hung. */
const PATIENCE_MS = 60_000;

export interface Ended {
  readonly code: number;
  readonly signal: number;
}

export class TestTerminal {
  /** Everything that the program wrote. */
  output = '';
  readonly pid: number;
  readonly #pty: ReturnType<typeof pty.spawn>;
  readonly #screen: InstanceType<typeof xterm.Terminal>;
  readonly ended: Promise<Ended>;
  #written: () => void = () => {};

  constructor(
    command: string,
    args: readonly string[],
    columns: number,
    rows: number,
    env: Readonly<Record<string, string>> = {},
  ) {
    const { CI: _ci, NO_COLOR: _no, FORCE_COLOR: _force, ...inherited } = process.env;
    this.#screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.#pty = pty.spawn(command, [...args], {
      cols: columns,
      rows,
      name: 'xterm-256color',
      env: { ...inherited, TERM: 'xterm-256color', COLORTERM: 'truecolor', LANG: 'C.UTF-8', ...env },
    });
    this.pid = this.#pty.pid;
    this.#screen.onData(data => this.#pty.write(data));
    this.#pty.onData(data => {
      this.output += data;
      this.#screen.write(data, () => this.#written());
    });
    this.ended = new Promise(resolve =>
      this.#pty.onExit(({ exitCode, signal }) => resolve({ code: exitCode, signal: signal ?? 0 })),
    );
  }

  /** The lines on the screen, blanks at their ends left out. */
  get lines(): readonly string[] {
    const buffer = this.#screen.buffer.active;
    return Array.from(
      { length: this.#screen.rows },
      (_, row) => buffer.getLine(buffer.viewportY + row)?.translateToString(true) ?? '',
    );
  }

  get text(): string {
    return this.lines.join('\n');
  }

  get isAlternate(): boolean {
    return this.#screen.buffer.active.type === 'alternate';
  }

  /** Colour of a cell as the emulator understood it; -1 for the default. */
  color(column: number, row: number): number {
    const cell = this.#screen.buffer.active.getLine(row)?.getCell(column);
    return !cell || cell.isFgDefault() ? -1 : cell.getFgColor();
  }

  send(keys: string): void {
    this.#pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  kill(signal: string): void {
    this.#pty.kill(signal);
  }

  /** Resolves once the screen is as wanted; fails with the screen when that takes too long. */
  async until(wanted: string | RegExp | ((terminal: TestTerminal) => boolean), what = String(wanted)): Promise<void> {
    const holds = () =>
      typeof wanted === 'function'
        ? wanted(this)
        : typeof wanted === 'string'
          ? this.text.includes(wanted)
          : wanted.test(this.text);
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`never came: ${what}\n${this.text}`)), PATIENCE_MS);
        const look = () => {
          if (holds()) resolve();
        };
        this.#written = look;
        this.ended.then(() =>
          holds()
            ? resolve()
            : reject(new Error(`the program ended before: ${what}\n${this.text}\n${this.output.slice(-2000)}`)),
        );
        look();
      });
    } finally {
      clearTimeout(timer);
      this.#written = () => {};
    }
  }
}
