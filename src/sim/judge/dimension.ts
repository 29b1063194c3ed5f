/**
 * What multiplying and dividing quantities of a Program gives. Its times are ns but its rates are per second, so a
 * product or quotient of the two carries a factor.
 */
import type { Dimension } from '../expr.ts';

/** Exponents of time, bytes and pages. */
type Exponents = readonly [number, number, number];

const EXPONENTS: Readonly<Record<Dimension, Exponents>> = {
  none: [0, 0, 0],
  percent: [0, 0, 0],
  time: [1, 0, 0],
  bytes: [0, 1, 0],
  pages: [0, 0, 1],
  rate: [-1, 0, 0],
  frequency: [-1, 0, 0],
  bandwidth: [-1, 1, 0],
  page_rate: [-1, 0, 1],
};
const NAMED: readonly Dimension[] = ['none', 'time', 'bytes', 'pages', 'frequency', 'bandwidth', 'page_rate'];

const scaleOf = ([time]: Exponents): number => (time < 0 ? 1e9 : 1);

interface Product {
  readonly dimension: Dimension;
  /** What the plain product of the two values is multiplied by. */
  readonly factor: number;
}

/** `sign` is 1 for a product, -1 for a quotient. */
export function combine(left: Dimension, right: Dimension, sign: 1 | -1): Product {
  const a = EXPONENTS[left];
  const b = EXPONENTS[right];
  const sum: Exponents = [a[0] + sign * b[0], a[1] + sign * b[1], a[2] + sign * b[2]];
  const dimension = NAMED.find(name => EXPONENTS[name].every((exponent, index) => exponent === sum[index]));
  const factor = (scaleOf(sum) * (sign > 0 ? 1 : scaleOf(b))) / (scaleOf(a) * (sign > 0 ? scaleOf(b) : 1));
  return { dimension: dimension ?? 'none', factor };
}
