/** Text within XML, HTML and SVG. */
import { printable } from '../base/printable.ts';

const ENTITY: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 cannot write control characters at all, nor halves of characters. */
export function markup(text: string): string {
  return printable(text.toWellFormed())
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"]/g, each => ENTITY[each] ?? each);
}
