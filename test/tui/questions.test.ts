/** Expressions of the language asked of a run that stands still: what they are now, and on until one becomes true. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';
import type { Program } from '../../src/sim/program.ts';
import { type Ask, Monitor } from '../../src/tui/monitor.ts';
import { textOf } from '../../src/tui/picture.ts';
import { blocksOf } from '../../src/tui/screen.ts';
import { openSimulation } from '../../src/tui/simulation_session.ts';
import { createTheme } from '../../src/tui/theme.ts';

const SCENARIO = `language 1
title "Two tasks"
host h0 { cpus 1; ram 16MiB; workers 1; swap disk { size 16MiB; read fixed(3ms) } }
vm web on h0 {
  ram 1MiB; vcpus 1
  protocol linux_6_12
  guest {
    apf on
    task db    on vcpu[0] user { loop { work 20us } }
    task shell on vcpu[0] user { loop { work 50us } }
  }
}
let cold = web.heap.page(17)
limit time 20ms
case "a page comes in" {
  matrix { gap in [3ms, 9ms] }
  at 0us   evict cold
  at 100us db reads cold
  at gap + 1ms db reads cold
  when count(took_apf(cold)) >= 1 { db reads cold }
  expect done_once: count(ready) >= 1
}
`;

/** A monitor on the scenario, and what its last line says after some keys; text in quotes is typed letter by letter. */
function monitor(): (...keys: readonly string[]) => string {
  const { suite, diagnostics } = compile({ path: 'two.apf', text: SCENARIO }, () => null);
  assert.equal(
    diagnostics.map(({ message }) => message),
    [],
  );
  const [found] = suite!.cases;
  const [cell] = found!.cells;
  const programs: readonly Program[] = [found!.lower(cell!, 'linux_6_12').program!];
  const ask: Ask = (_program, text, as) => found!.ask({ text, as }, cell!, 'linux_6_12');
  const options = { file: 'two.apf', open: openSimulation, at_ns: 0, speed: 0, now: () => 0 };
  const shown = new Monitor(
    { ...options, load: () => ({ kind: 'programs', programs, ask }) },
    { columns: 120, rows: 40 },
  );
  return (...keys) => {
    for (const typed of keys)
      for (const key of typed.startsWith('"') ? Array.from(typed.slice(1, -1)) : [typed])
        shown.key(key === ' ' ? 'space' : key);
    const lines = textOf(blocksOf(shown.model, createTheme(0)), shown.model.size)
      .trimEnd()
      .split('\n');
    return lines.at(-1)!.trim();
  };
}

test('answers are of this moment, also about what has happened before it', () => {
  const press = monitor();
  assert.is(press('a', '"web.vcpu[0].mp_state"', 'enter'), '= RUNNABLE   (web.vcpu[0].mp_state)');
  assert.is(
    press('a', '"count(ready), cold is swapped, gap"', 'enter'),
    '= 0, false, 3ms   (count(ready), cold is swapped, gap)',
  );
  press('G');
  assert.is(press('"a"', '"count(ready) >= 1"', 'enter'), '= true   (count(ready) >= 1)');
  press('g');
  assert.is(press(':', '"?count(ready)"', 'enter'), '= 0   (count(ready))');
});

test('a run goes on until a condition becomes true, and to its end where it does not', () => {
  const press = monitor();
  assert.is(press('u', '"cold is swapped"', 'enter'), 'true from here: cold is swapped');
  assert.is(press('a', '"cold is swapped"', 'enter'), '= true   (cold is swapped)');
  assert.is(press('u', '"not_present(cold)"', 'enter'), 'true from here: not_present(cold)');
  assert.is(
    press('a', '"count(not_present(cold)), count(ready)"', 'enter'),
    '= 1, 0   (count(not_present(cold)), count(ready))',
  );
  assert.is(press('u', '"count(web.vcpu[0].done) > 0"', 'enter'), 'true from here: count(web.vcpu[0].done) > 0');
  assert.is(press('a', '"count(web.vcpu[0].done)"', 'enter'), '= 1   (count(web.vcpu[0].done))');
  assert.match(press('u', '"count(web.vcpu[0].done) > 99"', 'enter'), 'it does not become true');
});

test('what is wrong is said where it is wrong, and can be typed again', () => {
  const press = monitor();
  assert.match(press('u', '"web.vcpu[0].nothing > 3"', 'enter'), /^:break when web.vcpu\[0\].nothing > 3 .*'nothing'/);
  assert.match(press('escape', 'u', '"cold"', 'enter'), /:break when cold .*expected/);
  assert.match(press('escape', 'a', '"count("', 'enter'), /^:\? count\( .*is a bracket open/);
  assert.match(press('escape', 'a', '"1] ; at 0us evict cold; report [2"', 'enter'), /^:\? 1\] ; /);
  assert.match(press('escape', ':', '"break"', 'enter'), 'break when what?');
});

test('asking changes nothing', () => {
  const press = monitor();
  const plain = monitor();
  press('u', '"not_present(cold)"', 'enter', 'a', '"count(not_present(cold))"', 'enter');
  assert.is(press('G', 'b', 'b', 'x'), plain('G', 'b', 'b', 'x'));
});

test.run();
