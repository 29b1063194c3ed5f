/** Whether to colour, and how many colours there are. */

type Env = Readonly<Record<string, string | undefined>>;

/** Bits of colour: 1 for none, 4, 8, 24. FORCE_COLOR counts for more than NO_COLOR, and even where there is no terminal. */
export async function colourDepth(env: Env, tty: boolean): Promise<number> {
  const forced = env['FORCE_COLOR'] !== undefined;
  if (!forced && (!tty || env['NO_COLOR'])) return 1;
  const { WriteStream } = await import('node:tty');
  // Node warns on standard error where both are set.
  const { NO_COLOR: _, NODE_DISABLE_COLORS: __, ...rest } = env;
  return WriteStream.prototype.getColorDepth(forced ? rest : { ...env });
}
