/** The line on a terminal that says how far a long run is. It vanishes before anything else is printed. */
import { printable } from '../base/printable.ts';
import type { Terminal } from './terminal.ts';

const FIRST_MS = 400;
const EVERY_MS = 100;
const LINE_WIDTH = 79;

export class Progress {
  readonly #terminal: Terminal;
  readonly #total: number;
  readonly #started_ms: number;
  #shown_ms = 0;
  #done = 0;
  #visible = false;

  constructor(terminal: Terminal, total: number) {
    this.#terminal = terminal;
    this.#total = total;
    this.#started_ms = terminal.now_ms();
  }

  /** Inside a run: `title` names it, `share` of it is over. */
  tick(title: string, share: number): void {
    this.line(spent_ms => {
      const done = this.#done + Math.min(1, share);
      const rate = done / (spent_ms / 1000);
      const left = rate > 0 ? `, ${duration((this.#total - done) / rate)} left` : '';
      return `${this.#done}/${this.#total}  ${rate.toFixed(1)} runs/s${left}  ${printable(title)}`;
    });
  }

  /** Any line; `text` is called only where it is due. */
  line(text: (spent_ms: number) => string): void {
    const now_ms = this.#terminal.now_ms();
    const spent_ms = now_ms - this.#started_ms;
    if (!this.#terminal.tty.err || spent_ms < FIRST_MS || now_ms - this.#shown_ms < EVERY_MS) return;
    this.#shown_ms = now_ms;
    const line = text(spent_ms);
    this.#terminal.err.write(`\r\x1b[K${line.slice(0, LINE_WIDTH)}`);
    this.#visible = true;
  }

  /** A run is over. */
  step(): void {
    this.#done += 1;
  }

  clear(): void {
    if (this.#visible) this.#terminal.err.write('\r\x1b[K');
    this.#visible = false;
  }
}

export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole}s` : `${Math.floor(whole / 60)}min ${whole % 60}s`;
}
