/** Acts whose model comes with a later version: parsed and checked, and refused when run. */
import { name, word } from '../holes.ts';
import { type Needs, statement } from '../statement.ts';
import { seq } from '../syntax.ts';

const COMPLETE: Needs = 'the complete model';

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
