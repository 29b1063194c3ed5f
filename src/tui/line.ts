/** One line of the screen under construction: pieces in roles, never wider than it may be. */
import { cut, widthOf } from './cells.ts';
import type { Piece, Role, Theme } from './theme.ts';

export class Line {
  readonly width: number;
  readonly #theme: Theme;
  #used = 0;
  readonly #pieces: Piece[] = [];
  /** The piece under way: what is next to it in the same role is part of it. */
  #role: Role = 'plain';
  #piece = '';

  constructor(theme: Theme, width: number) {
    this.#theme = theme;
    this.width = width;
  }

  get left(): number {
    return this.width - this.#used;
  }

  /** Append, cut to what is left. */
  add(role: Role, text: string): this {
    if (this.left <= 0 || text === '') return this;
    const kept = cut(text, this.left);
    if (role !== this.#role) this.#finish(role);
    this.#piece += kept;
    this.#used += widthOf(kept);
    return this;
  }

  /** Append in a column of its own: cut to `width - 1` cells and a blank, the rest filled. */
  column(role: Role, text: string, width: number): this {
    const before = this.#used;
    this.add(role, cut(text, width - 1));
    return this.gap(width - (this.#used - before));
  }

  /** Blanks; they take the look of what is before them, where it does not show on a blank. */
  gap(cells: number): this {
    const kept = Math.max(0, Math.min(cells, this.left));
    if (this.#role === 'selected') this.#finish('plain');
    this.#piece += ' '.repeat(kept);
    this.#used += kept;
    return this;
  }

  /** The given text against the right edge, if it fits behind what is there. */
  right(role: Role, text: string): this {
    const width = widthOf(text);
    return width > this.left ? this : this.gap(this.left - width).add(role, text);
  }

  toString(): string {
    this.#finish('plain');
    return this.#theme.paint(this.#pieces);
  }

  #finish(next: Role): void {
    if (this.#piece !== '') this.#pieces.push({ role: this.#role, text: this.#piece });
    this.#piece = '';
    this.#role = next;
  }
}
