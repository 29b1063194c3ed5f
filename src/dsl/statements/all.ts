/** The statements of the language. Parser, checker, help, documentation, completion and formatter are loops over this list. */
import type { Statement } from '../statement.ts';
import * as act from './act.ts';
import * as cases from './case.ts';
import * as explore from './explore.ts';
import * as file from './file.ts';
import * as host from './host.ts';
import * as judge from './judge.ts';
import * as lifeAct from './life_act.ts';
import * as memory from './memory.ts';
import * as migration from './migration.ts';
import * as order from './order.ts';
import * as task from './task.ts';
import * as trigger from './trigger.ts';
import * as vm from './vm.ts';
import * as vmm from './vmm.ts';

function statementsOf(module: object): readonly Statement[] {
  return Object.values(module).flat().filter(isStatement);
}

function isStatement(value: unknown): value is Statement {
  return typeof value === 'object' && value !== null && 'syntax' in value && 'where' in value;
}

export const STATEMENTS: readonly Statement[] = [
  file,
  host,
  vm,
  task,
  cases,
  trigger,
  act,
  vmm,
  migration,
  lifeAct,
  memory,
  order,
  judge,
  explore,
].flatMap(statementsOf);
