/** Markdown, read and written: the fenced blocks that the README test runs, and the tables of generated documents. */

export interface Block {
  /** The first word after the fence: `sh`, `console`, `apf`. */
  readonly language: string;
  /** The words after it: `fragment`. */
  readonly marks: readonly string[];
  /** The line of the opening fence, from 1. */
  readonly line: number;
  readonly text: string;
}

/** A command of a `console` block, and what is shown below it. */
export interface Shown {
  readonly command: string;
  readonly output: string;
}

export function blocks(markdown: string): readonly Block[] {
  const found = markdown.matchAll(/^(```+)([^\n`]*)\n([\s\S]*?)^\1[ \t]*$/gm);
  return [...found].map(({ index, 2: info = '', 3: text = '' }) => {
    const [language = '', ...marks] = info.trim().split(/\s+/);
    return { language, marks, line: markdown.slice(0, index).split('\n').length, text };
  });
}

/** Commands begin with `$ `; a line that begins with `> `, or is `>`, goes on with the command before. */
export function shown({ text }: Block): readonly Shown[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map(part => {
      const [first = '', ...rest] = part.split('\n');
      const more = rest.findIndex(line => !/^>( |$)/.test(line));
      const continued = rest.slice(0, more).map(line => line.slice(2));
      return { command: [first, ...continued].join('\n'), output: rest.slice(more).join('\n').trimEnd() };
    });
}

/** A table that ends with a newline; nothing at all where there are no rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('');
}
