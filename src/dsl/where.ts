/** Where a statement stands and how it reads, on one line, for verdicts and messages. */
import { positionAt, type Source, type Span } from '../base/source.ts';
import type { Place } from '../sim/program.ts';
import type { Line } from './layout.ts';
import { LCurly } from './tokens.ts';

export function placeOf(line: Line, source: Source): Place {
  const [first] = line.tokens;
  return { file: source.path, ...positionAt(source.text, first?.startOffset ?? 0), text: lineText(line, source) };
}

/** The statement without its block, without comments, blanks as single blanks. */
function lineText(line: Line, { text }: Source): string {
  const open = line.tokens.findIndex(token => token.tokenType === LCurly);
  const tokens = open < 0 ? line.tokens : line.tokens.slice(0, open);
  return tokens
    .map((token, index) => (index > 0 && /\s/.test(text[token.startOffset - 1] ?? '') ? ' ' : '') + token.image)
    .join('');
}

/** Part of a statement as written, on one line. */
export function textAt(span: Span, { text }: Source): string {
  return text.slice(span.start, span.end).replace(/\s+/g, ' ');
}
