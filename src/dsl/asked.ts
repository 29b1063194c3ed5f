/** An expression that is asked from outside of the file, in its words: read and checked as if the file asked it itself. */
import type { Source } from '../base/source.ts';
import type { Answerable, Asking } from '../sim/expr.ts';
import { Check } from './check.ts';
import type { Diagnostic } from './diagnostic.ts';
import { readExpression } from './read_expression.ts';
import type { Scope } from './scope.ts';
import type { Node } from './statement.ts';
import { childrenOf, isNode } from './syntax.ts';
import { parseTree } from './tree.ts';

export interface Asked {
  readonly text: string;
  readonly as: Asking;
}

/** What stands before the expression in the statement that asks for it. */
const BEFORE = 'report [';

export interface ReadQuestion {
  readonly node: Node | null;
  readonly source: Source;
  readonly diagnostics: readonly Diagnostic[];
}

export function readAsked({ text, as }: Asked, scope: Scope): ReadQuestion {
  const source = { path: '(asked)', text: `${BEFORE}${text}]` };
  const { nodes, report } = parseTree(source);
  const [node] = nodes;
  const [columns] = node ? childrenOf(node.cst, 'columns') : [];
  const nothing = { start: BEFORE.length, end: BEFORE.length };
  if (!report.failed && (nodes.length !== 1 || !columns || !isNode(columns)))
    report.error('syntax', { span: nothing, message: 'this is no expression' });
  if (!report.failed && columns && isNode(columns)) {
    const read = readExpression(columns);
    const items = read.kind === 'list' ? read.items : [];
    if (items.length === 0) report.error('syntax', { span: nothing, message: 'expected an expression' });
    if (as === 'truth' && items.length > 1)
      report.error('syntax', { span: items[1]!.span, message: 'expected one condition' });
    const check = new Check(report, scope, () => null);
    for (const item of items) {
      if (as === 'truth') check.truth(item);
      else check.type(item);
    }
  }
  return { node: report.failed ? null : (node ?? null), source, diagnostics: report.all };
}

/** What is wrong, with its place in the text as it was asked. */
export function refusalOf(diagnostics: readonly Diagnostic[], { text }: Asked): Answerable {
  const found = diagnostics.find(({ severity }) => severity === 'error');
  // The bracket that is ours and the one behind it do not fit when one in the text is open, or a comment begins.
  if (found && found.span.start < BEFORE.length)
    return { ok: false, message: 'the expression does not end: is a bracket open?', at: text.length };
  const at = Math.max(0, Math.min(text.length, (found?.span.start ?? 0) - BEFORE.length));
  const help = found?.help ? `; ${found.help}` : '';
  return { ok: false, message: `${found?.message ?? 'this cannot be asked'}${help}`, at };
}
