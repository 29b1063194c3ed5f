/** What was measured, from a text file beside the scenario: a time with its unit, or a page, on each line; comments behind `#`. */
import type { Source, Span } from '../base/source.ts';
import type { Report } from './diagnostic.ts';
import { spanOfToken } from './layout.ts';
import { lex } from './scanner.ts';
import { didYouMean } from './suggest.ts';
import { Newline, Numeral, Unit, UnknownUnit } from './tokens.ts';
import { inBaseUnits, numberOf, sameDimension, TIME, UNITS } from './units.ts';

const SAMPLES_MAX = 100_000;
/** A file that is something else should not scroll its reader away. */
const ERRORS_MAX = 10;

const TIME_UNITS = Object.keys(UNITS).filter(name => isTime(name));

function isTime(unit: string): boolean {
  const known = UNITS[unit];
  return known !== undefined && sameDimension(known.dimension, TIME);
}

type Tokens = ReturnType<typeof lex>['tokens'];

/** In ns. What is wrong goes to the report; the list is then of no use. */
export function readSamples({ text }: Source, report: Report): readonly number[] {
  const { tokens, strays } = lex(text);
  const samples: number[] = [];
  for (const { offset, length } of strays.slice(0, ERRORS_MAX))
    report.error('unexpected-character', {
      span: { start: offset, end: offset + length },
      message: 'this means nothing here',
      help: 'a sample is a time with its unit: 80us',
    });
  for (const line of linesOf(tokens)) {
    const ns = sampleOf(line, report);
    if (ns !== null) samples.push(ns);
    if (report.all.length >= ERRORS_MAX) return samples;
    const [first] = line;
    if (samples.length > SAMPLES_MAX && first) {
      report.error('range', {
        span: spanOfToken(first),
        message: `a distribution has at most ${SAMPLES_MAX} samples`,
        help: 'keep every second, or every tenth',
      });
      return samples;
    }
  }
  if (samples.length === 0 && !report.failed)
    report.error('missing', {
      span: { start: 0, end: 0 },
      message: 'there is no sample in this file',
      help: 'write one time on each line: 80us',
    });
  return samples;
}

/** Pages in the order in which they were touched, each by its number. */
export function readPages({ text }: Source, report: Report): readonly number[] {
  const { tokens, strays } = lex(text);
  const pages: number[] = [];
  const wrong = (span: Span, message: string): void =>
    report.error('syntax', { span, message, help: 'write one page on each line, by its number from 0: 17' });
  for (const { offset, length } of strays.slice(0, ERRORS_MAX))
    wrong({ start: offset, end: offset + length }, 'this means nothing here');
  for (const [number, after] of linesOf(tokens)) {
    if (!number || report.all.length >= ERRORS_MAX) break;
    const page = number.tokenType === Numeral ? numberOf(number.image) : Number.NaN;
    if (!Number.isSafeInteger(page))
      wrong(spanOfToken(number), `expected the number of a page, found '${number.image}'`);
    else if (after) wrong(spanOfToken(after), `expected the end of the line, found '${after.image}'`);
    else if (pages.push(page) > SAMPLES_MAX) {
      wrong(spanOfToken(number), `a script reads at most ${SAMPLES_MAX} pages from a file`);
      break;
    }
  }
  if (pages.length === 0 && !report.failed) wrong({ start: 0, end: 0 }, 'there is no page in this file');
  return pages;
}

function linesOf(tokens: Tokens): readonly Tokens[] {
  const lines: Tokens[number][][] = [[]];
  for (const token of tokens) {
    if (token.tokenType === Newline) lines.push([]);
    else lines.at(-1)?.push(token);
  }
  return lines.filter(line => line.length > 0);
}

function sampleOf([number, unit, ...rest]: Tokens, report: Report): number | null {
  if (!number) return null;
  const wrong = (span: Span, message: string, help = 'write one time on each line: 80us'): null => {
    report.error('syntax', { span, message, help });
    return null;
  };
  if (number.tokenType !== Numeral) return wrong(spanOfToken(number), `expected a time, found '${number.image}'`);
  if (!unit) {
    report.error('dimension', {
      span: spanOfToken(number),
      message: 'expected a time, found a plain number',
      help: `say its unit: ${number.image}us`,
    });
    return null;
  }
  if (unit.tokenType === UnknownUnit || (unit.tokenType === Unit && !isTime(unit.image))) {
    report.error('unknown-unit', {
      span: spanOfToken(unit),
      message: `no unit of time is called '${unit.image}'`,
      help: didYouMean(unit.image, TIME_UNITS, 'units of time'),
    });
    return null;
  }
  const known = UNITS[unit.image];
  const [after] = unit.tokenType === Unit ? rest : [unit];
  if (after || !known)
    return wrong(spanOfToken(after ?? unit), `expected the end of the line, found '${(after ?? unit).image}'`);
  const ns = Math.round(inBaseUnits(numberOf(number.image), known));
  if (ns <= Number.MAX_SAFE_INTEGER) return ns;
  report.error('range', { span: spanOfToken(number), message: 'a time is 104 days at most' });
  return null;
}
