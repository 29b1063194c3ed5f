/**
 * Times as text: `5ms` <-> 5,000,000 ns.
 *
 * Virtual time is an integer number of nanoseconds, exact below 2^53 (104 days), so text that would need a fraction of
 * a nanosecond or more days is refused rather than rounded.
 */

export const NS_PER = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, min: 60e9, h: 3600e9 } as const;

export type TimeUnit = keyof typeof NS_PER;

const TEXT = /^(\d+)(?:\.(\d+))?\s*(ns|us|ms|s|min|h)$/;

/** Nanoseconds of `90us`, `1.5 ms` or `2h`; null for anything else and for what is no whole number of nanoseconds. */
export function durationNs(text: string): number | null {
  const found = TEXT.exec(text);
  if (!found) return null;
  const [, whole = '', fraction = '', unit = ''] = found;
  if (!isTimeUnit(unit)) return null;
  // Integers throughout: 0.1 has no exact double, 1 / 10 of a unit has an exact count of nanoseconds.
  const scaled = BigInt(whole + fraction) * BigInt(NS_PER[unit]);
  const divisor = 10n ** BigInt(fraction.length);
  const ns = scaled / divisor;
  return scaled % divisor === 0n && ns <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(ns) : null;
}

/** The shortest exact text, in the largest of ns, us, ms and s that leaves a whole part: `1.5ms`, `-20us`, `0ns`. */
export function durationText(ns: number): string {
  const size = Math.abs(ns);
  const unit = size >= NS_PER.s ? 's' : size >= NS_PER.ms ? 'ms' : size >= NS_PER.us ? 'us' : 'ns';
  const per = NS_PER[unit];
  const digits = String(per).length - 1;
  const rest = String(size % per)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return `${ns < 0 ? '-' : ''}${Math.floor(size / per)}${rest && `.${rest}`}${unit}`;
}

function isTimeUnit(text: string): text is TimeUnit {
  return Object.hasOwn(NS_PER, text);
}
