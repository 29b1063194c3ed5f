/**
 * Units and dimensions: every number says what it measures, and arithmetic keeps to it.
 *
 * A dimension is three exponents (time, bytes, pages); a percentage is a pure number that remembers how it was written.
 * Base units are ns, bytes and pages, so a rate is per ns in here and turned into the Program's per second at the border.
 */
import type { Dimension as ProgramDimension } from '../sim/expr.ts';

export interface Dimension {
  readonly time: number;
  readonly bytes: number;
  readonly pages: number;
  readonly percent: boolean;
}

function dimension(time: number, bytes: number, pages: number, percent = false): Dimension {
  return { time, bytes, pages, percent };
}

export const COUNT = dimension(0, 0, 0);
export const PERCENT = dimension(0, 0, 0, true);
export const TIME = dimension(1, 0, 0);
export const BYTES = dimension(0, 1, 0);
export const PAGES = dimension(0, 0, 1);
export const FREQUENCY = dimension(-1, 0, 0);
export const BANDWIDTH = dimension(-1, 1, 0);
export const PAGE_RATE = dimension(-1, 0, 1);

interface NamedDimension {
  readonly dimension: Dimension;
  /** With its article, for "expected a size, found a time". */
  readonly words: string;
  readonly example: string;
  readonly program: ProgramDimension;
  /** Program units per base unit: 1e9 for whatever is per second there and per ns here. */
  readonly scale: number;
}

export const DIMENSIONS: readonly NamedDimension[] = [
  { dimension: COUNT, words: 'a plain number', example: '4', program: 'none', scale: 1 },
  { dimension: PERCENT, words: 'a percentage', example: '30%', program: 'percent', scale: 1 },
  { dimension: TIME, words: 'a time', example: '5ms', program: 'time', scale: 1 },
  { dimension: BYTES, words: 'a size', example: '128MiB', program: 'bytes', scale: 1 },
  { dimension: PAGES, words: 'a number of pages', example: '8 pages', program: 'pages', scale: 1 },
  { dimension: FREQUENCY, words: 'a rate', example: '200k/s', program: 'frequency', scale: 1e9 },
  { dimension: BANDWIDTH, words: 'a bandwidth', example: '10 Gbit/s', program: 'bandwidth', scale: 1e9 },
  { dimension: PAGE_RATE, words: 'a rate of pages', example: '40k pages/s', program: 'page_rate', scale: 1e9 },
];

interface Unit {
  readonly dimension: Dimension;
  /** Base units in one of it. */
  readonly factor: number;
}

const KI = 1024;
const PER_SECOND = 1e-9;

/** Every unit of the language. The lexer, the documentation and did-you-mean all read this table. */
export const UNITS: Readonly<Record<string, Unit>> = {
  ns: { dimension: TIME, factor: 1 },
  us: { dimension: TIME, factor: 1e3 },
  ms: { dimension: TIME, factor: 1e6 },
  s: { dimension: TIME, factor: 1e9 },
  min: { dimension: TIME, factor: 60e9 },
  h: { dimension: TIME, factor: 3600e9 },
  B: { dimension: BYTES, factor: 1 },
  KiB: { dimension: BYTES, factor: KI },
  MiB: { dimension: BYTES, factor: KI ** 2 },
  GiB: { dimension: BYTES, factor: KI ** 3 },
  TiB: { dimension: BYTES, factor: KI ** 4 },
  page: { dimension: PAGES, factor: 1 },
  pages: { dimension: PAGES, factor: 1 },
  '%': { dimension: PERCENT, factor: 0.01 },
  'B/s': { dimension: BANDWIDTH, factor: PER_SECOND },
  'KiB/s': { dimension: BANDWIDTH, factor: KI * PER_SECOND },
  'MiB/s': { dimension: BANDWIDTH, factor: KI ** 2 * PER_SECOND },
  'GiB/s': { dimension: BANDWIDTH, factor: KI ** 3 * PER_SECOND },
  'bit/s': { dimension: BANDWIDTH, factor: PER_SECOND / 8 },
  'kbit/s': { dimension: BANDWIDTH, factor: (1e3 * PER_SECOND) / 8 },
  'Mbit/s': { dimension: BANDWIDTH, factor: (1e6 * PER_SECOND) / 8 },
  'Gbit/s': { dimension: BANDWIDTH, factor: (1e9 * PER_SECOND) / 8 },
  'pages/s': { dimension: PAGE_RATE, factor: PER_SECOND },
  '/s': { dimension: FREQUENCY, factor: PER_SECOND },
  Hz: { dimension: FREQUENCY, factor: PER_SECOND },
  kHz: { dimension: FREQUENCY, factor: 1e3 * PER_SECOND },
};

export const UNIT_NAMES: readonly string[] = Object.keys(UNITS);

const MULTIPLIERS: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9 };

/** The value of a number token: `5`, `0.9`, `40k`, `2M`, `1_000`, `0x1001`. */
export function numberOf(image: string): number {
  if (image.startsWith('0x')) return Number(image);
  const multiplier = MULTIPLIERS[image.slice(-1)];
  const digits = (multiplier === undefined ? image : image.slice(0, -1)).replaceAll('_', '');
  return rounded(Number(digits) * (multiplier ?? 1));
}

/** A number of units in base units. Rounded where only the decimal fraction made it uneven: 1.1 ms is 1,100,000 ns. */
export function inBaseUnits(value: number, unit: Unit): number {
  return unit.factor >= 1 ? rounded(value * unit.factor) : value * unit.factor;
}

function rounded(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) <= Math.abs(value) * 1e-12 ? whole : value;
}

export function sameDimension(a: Dimension, b: Dimension): boolean {
  return a.time === b.time && a.bytes === b.bytes && a.pages === b.pages;
}

/** `2` stands where a percentage is wanted and `50%` where a number is: both are pure numbers. */
export function isPure(a: Dimension): boolean {
  return sameDimension(a, COUNT);
}

export function times(a: Dimension, b: Dimension, sign: 1 | -1): Dimension {
  const pure = isPure(a) && isPure(b);
  return dimension(
    a.time + sign * b.time,
    a.bytes + sign * b.bytes,
    a.pages + sign * b.pages,
    pure && (a.percent || b.percent),
  );
}

export function nameOf(a: Dimension): NamedDimension | undefined {
  return DIMENSIONS.find(each => sameDimension(each.dimension, a) && each.dimension.percent === a.percent);
}

/** `a time`, `a bandwidth`; a combination nobody named by its units: `bytes·ns`. */
export function wordsFor(a: Dimension): string {
  const known = nameOf(a);
  if (known) return known.words;
  const parts = (
    [
      ['ns', a.time],
      ['bytes', a.bytes],
      ['pages', a.pages],
    ] as const
  )
    .filter(([, power]) => power !== 0)
    .map(([unit, power]) => (power === 1 ? unit : `${unit}^${power}`));
  return `a quantity in ${parts.join('·')}`;
}
