/** The last line: what is being typed, or what was just said, or the keys that matter most. */
import { widthOf } from '../cells.ts';
import { completions } from '../command.ts';
import { BINDINGS } from '../keymap.ts';
import { Line } from '../line.ts';
import type { Model, Typing } from '../model.ts';
import type { Theme } from '../theme.ts';

export function footer(model: Model, theme: Theme): string {
  // The last cell of the screen stays free: writing it scrolls some terminals.
  const line = new Line(theme, model.size.columns - 1);
  if (model.typing) return typing(line, model, model.typing).toString();
  if (model.notice) return line.add(model.notice.tone, ` ${model.notice.text}`).toString();
  if (model.page !== 'none')
    return hint(line, [
      ['Esc', 'back'],
      ['Up/Down', 'scroll'],
      ['q', 'quit'],
    ]);
  for (const { shown, footer: word, disabled } of BINDINGS) {
    if (word === undefined) continue;
    const useless = disabled?.(model) != null;
    line.add(useless ? 'dim' : 'key', ` ${shown}`).add(useless ? 'dim' : 'plain', ` ${word}`);
  }
  return line.toString();
}

function typing(line: Line, model: Model, { what, text, cursor, error: wrong }: Typing): Line {
  line.add('focus', what === 'filter' ? '/' : ':');
  // Of a long line, what stands around the cursor: what is wrong is said behind it.
  const room = wrong === '' ? line.width - 1 : Math.max(line.width >> 1, line.width - widthOf(wrong) - 5);
  const first = Math.max(0, Math.min(cursor - Math.floor(room / 2), text.length + 1 - room));
  line
    .add('plain', text.slice(first, cursor))
    .add('selected', text[cursor] ?? ' ')
    .add('plain', text.slice(cursor + 1, first + room));
  if (what === 'filter') {
    const error = model.view?.filter_error ?? null;
    return error === null ? line.add('dim', '   Enter keep  Esc undo') : line.add('bad', `   ${error}`);
  }
  if (wrong !== '') return line.add('bad', `   ${wrong}`);
  const choices = completions(text, model);
  return line.add('dim', choices.length > 0 ? `   Tab: ${choices.join(' ')}` : '   Enter does it, Esc leaves');
}

function hint(line: Line, pairs: readonly (readonly [string, string])[]): string {
  for (const [key, word] of pairs) line.add('key', ` ${key}`).add('plain', ` ${word}`);
  return line.toString();
}
