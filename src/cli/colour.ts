/** Whether to colour, and how many colours there are. */
import { WriteStream } from 'node:tty';

type Env = Readonly<Record<string, string | undefined>>;

/** Bits of colour: 1 for none, 4, 8, 24. FORCE_COLOR counts for more than NO_COLOR, and even where there is no terminal. */
export function colourDepth(env: Env, tty: boolean): number {
  if (env['FORCE_COLOR'] === undefined)
    return tty && !env['NO_COLOR'] ? WriteStream.prototype.getColorDepth({ ...env }) : 1;
  // Node warns on standard error where both are set.
  const { NO_COLOR: _, NODE_DISABLE_COLORS: __, ...rest } = env;
  return WriteStream.prototype.getColorDepth(rest);
}
