/**
 * For which variants a file and its cases make sense: what their `needs` say.
 *
 * `--variants all` means all of those. Naming another one is a mistake of the scenario, told before anything runs.
 */
import type { Source } from '../base/source.ts';
import { PRESET_NAMES } from '../sim/protocol/presets.ts';
import type { Report } from './diagnostic.ts';
import { evaluate } from './evaluate.ts';
import type { Expression } from './expression.ts';
import { readExpression, tokensIn } from './read_expression.ts';
import type { Scope } from './scope.ts';
import type { Node } from './statement.ts';
import { childrenOf, isNode, textOf } from './syntax.ts';
import { knobsOfVariant, type Turn } from './variant.ts';
import { textAt } from './where.ts';

/** Why a variant is none of those meant; null where it is one. */
export type Applies = (variant: string) => string | null;

interface Need {
  readonly condition: Expression;
  readonly because: string;
}

function needsIn(nodes: readonly Node[], source: Source): readonly Need[] {
  return nodes.flatMap(({ statement, cst }) => {
    const [condition] = statement.id === 'needs' ? childrenOf(cst, 'condition') : [];
    if (!condition || !isNode(condition)) return [];
    const [because] = childrenOf(cst, 'because');
    const read = readExpression(condition);
    return [
      { condition: read, because: because && !isNode(because) ? textOf(because).text : textAt(read.span, source) },
    ];
  });
}

/** `nodes`: the statements of the file, and of the case. */
export function appliesTo(
  nodes: readonly Node[],
  scope: Scope,
  source: Source,
  turnsOf: (node: Node) => readonly Turn[],
): Applies {
  const needs = needsIn(nodes, source);
  return variant => needs.find(({ condition }) => !holds(condition, variant, scope, turnsOf))?.because ?? null;
}

function holds(of: Expression, variant: string, scope: Scope, turnsOf: (node: Node) => readonly Turn[]): boolean {
  const value = valueOn(of, variant, scope, turnsOf);
  return value?.v === 'truth' && value.value;
}

function valueOn(of: Expression, variant: string, scope: Scope, turnsOf: (node: Node) => readonly Turn[]) {
  const knobs = knobsOfVariant(variant, scope, turnsOf);
  return knobs && evaluate(of, { scope, values: new Map(), variant, knobs, outOfRange: () => undefined }, false);
}

/** Complains about variants that are listed although they are not meant, and about needs that only a run could tell. */
export function checkNeeds(
  nodes: readonly Node[],
  scope: Scope,
  source: Source,
  report: Report,
  turnsOf: (node: Node) => readonly Turn[],
): void {
  const [preset = ''] = PRESET_NAMES;
  for (const { condition } of [...needsIn(nodes, source), ...cases(nodes).flatMap(({ body }) => needsIn(body, source))])
    if (valueOn(condition, preset, scope, turnsOf)?.v !== 'truth')
      report.error('type', {
        span: condition.span,
        message: 'only the run could tell this',
        help: 'what a case needs is said of its variant: needs variant has notify = pf_then_interrupt',
      });
  if (report.failed) return;
  checkList(nodes, appliesTo(nodes, scope, source, turnsOf), report);
  for (const { body } of cases(nodes)) {
    checkList(body, appliesTo([...nodes, ...body], scope, source, turnsOf), report);
  }
}

function cases(nodes: readonly Node[]): readonly Node[] {
  return nodes.filter(({ statement }) => statement.id === 'case');
}

function checkList(nodes: readonly Node[], applies: Applies, report: Report): void {
  for (const { statement, cst } of nodes) {
    if (statement.id !== 'run' && statement.id !== 'variants') continue;
    for (const name of [...childrenOf(cst, 'one'), ...childrenOf(cst, 'many')].flatMap(each =>
      isNode(each) ? tokensIn(each) : [each],
    )) {
      const why = applies(name.image);
      if (why !== null)
        report.error('unfit-variant', {
          span: { start: name.startOffset, end: name.startOffset + name.image.length },
          message: `${name.image} is not what this needs: ${why}`,
        });
    }
  }
}
