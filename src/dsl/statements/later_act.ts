/** Acts whose model comes with a later version: parsed and checked, and refused when run. */
import { name, place, word } from '../holes.ts';
import { type Needs, statement } from '../statement.ts';
import { seq } from '../syntax.ts';
import type { ThingKind } from '../value_type.ts';

const WHERE = ['file', 'case', 'act'] as const;

const COMPLETE: Needs = 'the complete model';

/** `keyword THING`, for things of these kinds. */
function onThing(keyword: string, kinds: readonly ThingKind[], shown: string, summary: string, example: string) {
  return statement({
    id: keyword,
    keyword,
    where: WHERE,
    syntax: seq(word(keyword), place('what', shown)),
    summary,
    examples: [example],
    needs: COMPLETE,
    check: ({ what }, _at, check) => check.thing(what, ...kinds),
  });
}

export const laterActs = [
  onThing('sipi', ['vcpu'], 'VCPU', 'Sends a start-up IPI.', 'sipi web.vcpu[0]'),
  onThing('init', ['vcpu'], 'VCPU', 'Sends INIT.', 'init web.vcpu[0]'),
];

export const record = statement({
  id: 'record',
  keyword: 'record',
  where: ['case'],
  syntax: seq(word('record'), name('name')),
  summary: 'Runs the case once without its acts and keeps the trace under a name, to compare with.',
  examples: ['record baseline'],
  needs: COMPLETE,
  declare: ({ name }, at, scope) => scope.thing(name, 'recording', at),
});
