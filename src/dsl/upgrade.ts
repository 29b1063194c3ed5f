/**
 * A file of an older language, rewritten to the newest: what `apflab fmt --upgrade` does before it formats.
 *
 * There has been one language, and before it drafts, which their files call 0 or nothing: their words are those of 1. A
 * later language adds its step here, from its predecessor to itself.
 */
import type { Source } from '../base/source.ts';
import { lex } from './scanner.ts';
import { LANGUAGE_VERSION } from './statements/file.ts';

export interface Upgraded {
  readonly source: Source;
  /** What the file said: a number, or null for nothing. */
  readonly from: string | null;
}

/** The same source where it is in the newest language already, or in one that is not known here. */
export function upgrade(source: Source): Upgraded {
  const { path, text } = source;
  const [first, version] = lex(text).tokens.filter(({ image }) => !/^[\r\n;]+$/.test(image));
  if (first?.image !== 'language')
    return { source: { path, text: `language ${LANGUAGE_VERSION}\n${text}` }, from: null };
  const from = version?.image ?? '';
  if (from !== '0' || !version) return { source, from };
  const end = version.startOffset + from.length;
  return { source: { path, text: text.slice(0, version.startOffset) + LANGUAGE_VERSION + text.slice(end) }, from };
}
