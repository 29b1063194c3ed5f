/**
 * The formatter: prints a file from its tokens and its tree. Comments stay where they are, and so do the author's
 * lines: what was on one line stays on one, at most one blank line is kept. Printing what was printed changes nothing.
 *
 * Spacing follows from tokens; the tree only tells a call's `(` from a bracket that groups, and a sign from a minus.
 */
import type { CstNode, IToken } from 'chevrotain';
import type { Source } from '../base/source.ts';
import type { Diagnostic } from './diagnostic.ts';
import { type Block, CONTINUATIONS, type Line } from './layout.ts';
import { tokensIn } from './read_expression.ts';
import type { Node } from './statement.ts';
import { childrenOf, isNode } from './syntax.ts';
import {
  Colon,
  Comma,
  Dot,
  DotDot,
  endOf,
  LCurly,
  LRound,
  LSquare,
  Numeral,
  RCurly,
  RRound,
  RSquare,
  Unit,
} from './tokens.ts';
import { parseTree, type Tree } from './tree.ts';

export type Formatted = { readonly text: string } | { readonly diagnostics: readonly Diagnostic[] };

/** The file as it should be written. A file that does not parse is left alone. */
export function format(source: Source): Formatted {
  const tree = parseTree(source);
  return tree.report.failed ? { diagnostics: tree.report.all } : { text: new Printer(tree).print() };
}

const INDENT = 2;
/** Lines are lined up only if that moves nothing further than this. */
const REACH = 20;

interface Row {
  indent: number;
  text: string;
  comment: string | null;
  /** A blank line in front of it. */
  gap: boolean;
  /** Where rows of the same kind are lined up, and the kind. */
  anchor: { readonly column: number; readonly kind: string } | null;
}

/** Statements that line up with their neighbours of the same kind, at the token with this label. Title and tags are one kind. */
const ANCHORS: Readonly<Record<string, string>> = {
  title: 'title',
  tags: 'tags',
  param: 'mark_Equal',
  let: 'mark_Equal',
  variant: 'word_extends',
  protocol: 'word_extends',
  at: 'act',
  task: 'word_on',
  matrix_entry: 'word_in',
};

class Printer {
  readonly #tree: Tree;
  readonly #text: string;
  readonly #rows: Row[] = [];
  /** Offsets of brackets that stand close to what is before them, and of signs. */
  readonly #close = new Set<number>();
  readonly #signs = new Set<number>();
  readonly #anchors = new Map<Line, { readonly offset: number; readonly kind: string }>();
  #comment = 0;
  #row: Row | null = null;
  #last = 0;

  constructor(tree: Tree) {
    this.#tree = tree;
    this.#text = tree.source.text;
    for (const node of tree.nodes) this.#learn(node);
  }

  print(): string {
    this.#block(this.#tree.root, 0);
    this.#comments(this.#text.length, 0);
    this.#endRow();
    this.#lineUp();
    return this.#rows.map(rowText).join('');
  }

  #learn(node: Node): void {
    this.#brackets(node.cst);
    const label = ANCHORS[node.statement.id];
    const [element] = label ? childrenOf(node.cst, label) : [];
    const token = element && isNode(element) ? tokensIn(element)[0] : element;
    if (token && !isNode(token))
      this.#anchors.set(node.line, {
        offset: token.startOffset,
        kind: node.statement.id === 'title' ? 'tags' : node.statement.id,
      });
    for (const each of node.body) this.#learn(each);
  }

  #brackets(cst: CstNode): void {
    for (const [label, elements] of Object.entries(cst.children)) {
      for (const element of elements) {
        if (isNode(element)) this.#brackets(element);
        else if (label === 'minus') this.#signs.add(element.startOffset);
        else if (label === 'dash') {
          this.#signs.add(element.startOffset);
          this.#close.add(element.startOffset);
        } else if (label === 'open' && (cst.name === 'postfix' || cst.name === 'tail'))
          this.#close.add(element.startOffset);
        else if (label === 'mark_LRound' || label === 'mark_LSquare') this.#close.add(element.startOffset);
      }
    }
  }

  #block(block: Block, indent: number): void {
    for (const line of block.lines) {
      const [first] = line.tokens;
      if (!first) continue;
      const together = line.separator === 'semicolon' && !this.#newlineBefore(first) && this.#row !== null;
      if (together) this.#append(';', false);
      else {
        this.#comments(first.startOffset, indent);
        this.#startRow(indent, first.startOffset);
        if (line.separator === 'bar') this.#append('|', true);
      }
      this.#line(line, indent, together);
    }
  }

  #line(line: Line, indent: number, together: boolean): void {
    const anchor = this.#anchors.get(line);
    const blocks = [...line.blocks];
    let depth = 0;
    line.tokens.forEach((token, index) => {
      const before = line.tokens[index - 1];
      if (before?.tokenType === LRound || before?.tokenType === LSquare) depth += 1;
      if (before?.tokenType === RRound || before?.tokenType === RSquare) depth -= 1;
      if (token.tokenType === RCurly) {
        const block = blocks.shift();
        if (block) this.#body(block, token, indent);
        return;
      }
      if (before && this.#newlineBefore(token)) {
        this.#comments(token.startOffset, indent + INDENT);
        const closes = token.tokenType === RRound || token.tokenType === RSquare;
        // Inside of brackets, a line that goes on with an operand stands below it.
        const steps = closes ? 0 : depth > 0 && CONTINUATIONS.some(word => word === token.image) ? 2 : 1;
        const deeper = indent + steps * INDENT;
        if (token.tokenType !== LCurly) this.#startRow(deeper, -1);
      }
      const space =
        index === 0 ? together || (this.#row?.text ?? '') !== '' : this.#spaced(line.tokens[index - 1], token);
      if (anchor?.offset === token.startOffset && this.#row && !together && this.#row.anchor === null) {
        this.#row.anchor = { column: this.#row.text.length, kind: anchor.kind };
      }
      this.#append(token.image, space);
      this.#last = endOf(token);
    });
  }

  /** The inside of a block and its `}`. A block that was written on one line stays there. */
  #body(block: Block, close: IToken, indent: number): void {
    const open = block.open;
    const inside = open ? this.#text.slice(endOf(open), close.startOffset) : '';
    if (!/[\r\n]/.test(inside)) {
      block.lines.forEach((line, index) => {
        if (index > 0) this.#append(line.separator === 'bar' ? '|' : ';', line.separator === 'bar');
        this.#append('', true);
        this.#line(line, indent, false);
      });
      this.#append('}', true);
    } else {
      this.#last = open ? endOf(open) : this.#last;
      this.#block(block, indent + INDENT);
      this.#comments(close.startOffset, indent + INDENT);
      this.#startRow(indent, -1);
      this.#append('}', false);
    }
    this.#last = endOf(close);
  }

  #spaced(before: IToken | undefined, token: IToken): boolean {
    if (!before) return false;
    const [left, right] = [before.tokenType, token.tokenType];
    if (left === LRound || left === LSquare || left === Dot || left === DotDot) return false;
    if (
      right === RRound ||
      right === RSquare ||
      right === Comma ||
      right === Dot ||
      right === DotDot ||
      right === Colon
    )
      return false;
    if (this.#close.has(token.startOffset)) return false;
    if (this.#signs.has(before.startOffset)) return false;
    if (right === Unit && left === Numeral) return /pages?|bit\/s|B\/s|Hz|min/.test(token.image);
    return true;
  }

  #newlineBefore(token: IToken): boolean {
    return /[\r\n]/.test(this.#text.slice(this.#last, token.startOffset).replace(/#[^\r\n]*/g, ''));
  }

  /** Comments up to an offset: at the end of the row if they were, else in rows of their own. */
  #comments(until: number, indent: number): void {
    for (;;) {
      const comment = this.#tree.lexed.comments[this.#comment];
      if (!comment || comment.startOffset >= until) return;
      this.#comment += 1;
      const image = comment.image.trimEnd();
      const between = this.#text.slice(this.#last, comment.startOffset);
      if (this.#row && !/[\r\n]/.test(between))
        this.#row.comment = this.#row.comment === null ? image : `${this.#row.comment} ${image}`;
      else {
        this.#startRow(indent, comment.startOffset);
        this.#append(image, false);
      }
      this.#last = endOf(comment);
      // Whatever follows is on another line.
      if (this.#row && this.#row.comment === null) this.#endRow();
    }
  }

  #append(text: string, space: boolean): void {
    if (!this.#row) this.#startRow(0, -1);
    const row = this.#row;
    if (!row) return;
    row.text += space && row.text !== '' && !row.text.endsWith(' ') ? ` ${text}` : text;
  }

  /** `offset`: of what begins the row, for the blank line before it; -1 where none may stand. */
  #startRow(indent: number, offset: number): void {
    this.#endRow();
    const blanks = offset < 0 ? 0 : (this.#text.slice(this.#last, offset).match(/\r\n|\r|\n/g) ?? []).length;
    const first = this.#rows.length === 0 || (this.#rows.at(-1)?.text ?? '').endsWith('{');
    this.#row = { indent, text: '', comment: null, gap: blanks > 1 && !first, anchor: null };
  }

  #endRow(): void {
    if (this.#row && (this.#row.text !== '' || this.#row.comment !== null)) this.#rows.push(this.#row);
    this.#row = null;
  }

  #lineUp(): void {
    for (const group of groups(this.#rows, (a, b) => a.anchor !== null && b.anchor?.kind === a.anchor.kind)) {
      const columns = group.map(row => row.anchor?.column ?? 0);
      const widest = Math.max(...columns);
      if (group.length < 2 || widest - Math.min(...columns) > REACH) continue;
      for (const row of group) {
        const column = row.anchor?.column ?? 0;
        row.text = row.text.slice(0, column) + ' '.repeat(widest - column) + row.text.slice(column);
      }
    }
    for (const group of groups(this.#rows, (a, b) => a.comment !== null && b.comment !== null)) {
      const widths = group.map(row => row.indent + row.text.length);
      const widest = Math.max(...widths);
      const near = widest - Math.min(...widths) <= 3 * REACH;
      for (const [index, row] of group.entries()) {
        if (row.comment !== null && row.text !== '')
          row.text += ' '.repeat((near ? widest : (widths[index] ?? 0)) - (widths[index] ?? 0) + 2);
      }
    }
  }
}

function rowText(row: Row): string {
  return `${row.gap ? '\n' : ''}${`${' '.repeat(row.indent)}${row.text}${row.comment ?? ''}`.trimEnd()}\n`;
}

/** Runs of rows without a blank line between, each at the same depth and alike to the one before. */
function groups(rows: readonly Row[], alike: (a: Row, b: Row) => boolean): readonly (readonly Row[])[] {
  const found: Row[][] = [];
  let before: Row | undefined;
  for (const row of rows) {
    const goesOn = before && !row.gap && row.indent === before.indent && alike(before, row);
    if (goesOn) found.at(-1)?.push(row);
    else found.push([row]);
    before = row;
  }
  return found;
}
