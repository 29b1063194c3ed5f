/**
 * Diagnostics: what is wrong with a scenario, as data, and the one place that renders them.
 *
 * Every code is declared once, with the paragraph that `apflab help error CODE` prints.
 */
import { printable } from '../base/printable.ts';
import { COLUMNS, positionAt, type Source, type Span, shortened, snippet } from '../base/source.ts';

export const CODES = {
  syntax:
    'The statement does not read as its syntax says. One error is reported per statement; the next one is read from its own line on. `apflab help STATEMENT` shows the syntax with an example.',
  'unexpected-character':
    'The character begins nothing in this language. Text goes into double quotes, comments begin with #.',
  'unterminated-text': 'A text in quotes must end on the line on which it begins. Write \\" for a quote within it.',
  'unclosed-bracket':
    'A bracket was opened and never closed. Inside ( ) and [ ] the end of a line does not end a statement, so the error can show far from its cause.',
  'stray-bracket': 'A closing bracket stands where none is open.',
  'unknown-statement':
    'No statement begins with this word here. Each block has its own statements: `ram` belongs in a host or a vm, `evict` in a case or after a time.',
  'misplaced-statement': 'The statement exists, but not in this block.',
  'unknown-unit':
    'The number has a unit that the language does not know. Sizes are written KiB, MiB, GiB (powers of 1024), times ns, us, ms, s, bandwidths Mbit/s or MiB/s.',
  dimension:
    'A quantity of one kind stands where another is wanted, such as a time for a size, or two kinds are added or compared. Sizes divide by times to rates, and rates multiply with times back.',
  type: 'The value is of another kind than the place wants: a name where a number is expected, a page where a vCPU is.',
  'address-kind':
    'Two addresses of different kinds meet. A gva, a gpa, an hva, a gfn and a pfn are different types and never compare, add or stand for one another: only the machine translates between them.',
  'unknown-name':
    'Nothing of this name is declared here. Hosts, VMs, tasks and variants are declared in the file or in one that it imports; in a file with one VM, `db` is short for `web.task.db`.',
  'unknown-field': 'The thing has no property of that name.',
  'unknown-event':
    'No event of that name exists. Events are calls, such as not_present(p), ready(p) or switch_to(task); `apflab help events` lists them.',
  'unknown-state': 'The thing is never in a state of that name.',
  'unknown-tracepoint': 'No tracepoint is called so, and no tracepoint fits the pattern.',
  'unknown-variant':
    'No protocol of that name ships with apflab and no `variant` statement in the file declares it. `apflab protocols` lists them.',
  'unknown-knob': 'The protocol has no such knob. `apflab protocols` lists knobs and their values.',
  'unknown-word': 'The word is none of those that the place allows.',
  'wrong-arguments': 'A call has arguments that it does not take, or lacks some that it needs.',
  duplicate: 'The name is already taken in this scope.',
  missing: 'Something that the statement needs was not given.',
  range: 'The number is outside of what the place allows.',
  'no-swap': 'A page can be evicted only to the swap device of its host, and this host has none.',
  'unfit-variant': 'The file or the case says what it `needs` of a variant, and this one is not so.',
  'unknown-judgement':
    '`expect fail of NAME` must name a judgement of the same case or file: the word before the colon in `always NAME: …`.',
  import:
    'The imported file cannot be read. Paths are relative to the importing file and stay inside its folder; `std/…` is the library that ships with apflab.',
  language: 'The file must say which version of the language it is written in: `language 1` on its first line.',
  needs:
    'The statement is part of the language and was checked, but the model behind it is not in this version, so a run is refused rather than faked.',
  unexplorable:
    'An exploration tries every order of what happens, and not every value that could be drawn: pages have to be named. `apflab run` takes the file as it is.',
  unused: 'Declared and never used.',
} as const;

export type Code = keyof typeof CODES;

export interface Label {
  readonly span: Span;
  readonly text: string;
}

export interface Diagnostic {
  readonly code: Code;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly source: Source;
  readonly span: Span;
  readonly labels: readonly Label[];
  readonly help: string | null;
}

/** What a check has to say about one place. */
export interface Finding {
  readonly span: Span;
  readonly message: string;
  readonly help?: string | null | undefined;
  readonly labels?: readonly Label[] | undefined;
}

/** Collects, in order, without repeats of the same complaint about the same place. */
export class Report {
  readonly all: Diagnostic[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  error(code: Code, finding: Finding): void {
    this.#add('error', code, finding);
  }

  warning(code: Code, finding: Finding): void {
    this.#add('warning', code, finding);
  }

  get failed(): boolean {
    return this.all.some(each => each.severity === 'error');
  }

  #add(severity: 'error' | 'warning', code: Code, { span, message, help, labels }: Finding): void {
    const known = this.all.some(
      each => each.code === code && each.span.start === span.start && each.message === message,
    );
    if (known) return;
    this.all.push({ code, severity, message, source: this.#source, span, labels: labels ?? [], help: help ?? null });
  }
}

/** Errors in the order of the text: several passes find them, and a reader goes from top to bottom. */
export function sorted(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...diagnostics].sort((a, b) => a.span.start - b.span.start);
}

/**
 * ```
 * error[unknown-host]: no host named 'host-c'
 *  --> scenarios/migrate.apf:7:12
 *   |
 * 7 | migrate to host-c after 5ms
 *   |            ^^^^^^
 * help: hosts here: host-a, host-b
 * ```
 * Plain text; `paint` adds colour where there is a terminal. Lines of the source are cut to `columns` around the mark.
 */
export function renderDiagnostic(diagnostic: Diagnostic, paint: Paint = plain, columns: number = COLUMNS): string {
  const { code, severity, message, source, span, labels, help } = diagnostic;
  const { line, column } = positionAt(source.text, span.start);
  const marks = [{ span, text: '' }, ...labels];
  const numbers = marks.map(each => positionAt(source.text, each.span.start).line);
  const width = String(Math.max(...numbers)).length;
  const gutterWidth = width + ' | '.length;
  const gutter = `${' '.repeat(width)} ${paint.frame('|')}`;
  const out = [
    `${paint[severity](`${severity}[${code}]`)}: ${paint.strong(printable(message))}`,
    `${' '.repeat(width)}${paint.frame('-->')} ${printable(source.path)}:${line}:${column}`,
  ];
  marks.forEach((each, index) => {
    const shown = shortened(snippet(source.text, each.span), columns - gutterWidth);
    const number = String(numbers[index]).padStart(width);
    const caret = (index === 0 ? '^' : '-').repeat(shown.width);
    const tail = each.text ? ` ${printable(each.text)}` : '';
    if (index === 0 || numbers[index] !== numbers[index - 1]) out.push(`${paint.frame(`${number} |`)} ${shown.text}`);
    out.push(
      `${gutter} ${' '.repeat(shown.indent)}${index === 0 ? paint[severity](caret) : paint.frame(caret)}${tail}`,
    );
  });
  if (help) out.push(`${paint.frame('help')}: ${printable(help)}`);
  return out.join('\n');
}

export interface Paint {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly frame: (text: string) => string;
}

const same = (text: string): string => text;
const plain: Paint = { error: same, warning: same, strong: same, frame: same };

/** One line per problem: `2 errors, 1 warning`. */
export function tally(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(each => each.severity === 'error').length;
  const warnings = diagnostics.length - errors;
  const parts = [];
  if (errors > 0) parts.push(`${errors} error${errors === 1 ? '' : 's'}`);
  if (warnings > 0) parts.push(`${warnings} warning${warnings === 1 ? '' : 's'}`);
  return parts.join(', ');
}
