/** Colour as a parameter: reports say what a piece of text means, the command line decides whether and how it shows. */

export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  /** Stands back: times, counts, frames. */
  readonly dim: (text: string) => string;
  readonly strong: (text: string) => string;
}

const same = (text: string): string => text;

export const PLAIN: Paint = { good: same, bad: same, warn: same, dim: same, strong: same };
