/** `suite NAME { files [...]; ... }`: a choice among the cases of other files, under a name. */
import type { Span } from '../base/source.ts';
import type { Word } from './expression.ts';
import { readExpression } from './read_expression.ts';
import type { Node } from './statement.ts';
import { childrenOf, isNode } from './syntax.ts';
import { wordsOf } from './words.ts';

export interface NamedSuite {
  readonly name: string;
  readonly span: Span;
  /** As written: relative to the file that the suite stands in. */
  readonly files: readonly Word[];
  /** Only cases with one of these tags; empty for all. */
  readonly tags: readonly string[];
  /** Only cases of these names; empty for all. */
  readonly cases: readonly Word[];
  /** What the cases run on, in place of what their files say; empty for that. */
  readonly variants: readonly string[];
}

export function namedSuites(nodes: readonly Node[]): readonly NamedSuite[] {
  return nodes
    .filter(each => each.statement.id === 'suite')
    .map(node => {
      const { body, span } = node;
      const variants = body.filter(each => each.statement.id === 'variants');
      return {
        name: wordsOf([node], 'suite', 'name')[0] ?? '',
        span,
        files: textsIn(body, 'suite_files'),
        tags: wordsOf(body, 'tags', 'tags'),
        cases: textsIn(body, 'suite_cases'),
        variants: [...wordsOf(variants, 'variants', 'group'), ...wordsOf(variants, 'variants', 'many')],
      };
    });
}

function textsIn(body: readonly Node[], id: string): readonly Word[] {
  return body
    .filter(each => each.statement.id === id)
    .flatMap(each => childrenOf(each.cst, 'value'))
    .flatMap(value => {
      if (!isNode(value)) return [];
      const read = readExpression(value);
      return (read.kind === 'list' ? read.items : [read]).flatMap(item =>
        item.kind === 'text' ? [{ text: item.value, span: item.span }] : [],
      );
    });
}
