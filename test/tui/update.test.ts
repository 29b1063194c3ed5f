/** Keys and pictures through update(), without a screen. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BINDINGS } from '../../src/tui/keymap.ts';
import { type KeyFlags, keysOf } from '../../src/tui/keys.ts';
import { SPEEDS, windowOf } from '../../src/tui/model.ts';
import { type Effect, update } from '../../src/tui/update.ts';
import { pressing, sampleModel, sampleView } from './sample.ts';

const start = sampleModel(80, 24);

function effectOf(...keys: readonly string[]): Effect | null {
  const before = pressing(start, ...keys.slice(0, -1));
  return update(before, { on: 'key', key: keys.at(-1) ?? '' })[1];
}

function typing(text: string): string[] {
  return Array.from(text, character => (character === ' ' ? 'space' : character));
}

test('run control asks for goals', () => {
  assert.equal(effectOf('s'), { do: 'pursue', goal: { to: 'by', events: 1 } });
  assert.equal(effectOf('b'), { do: 'pursue', goal: { to: 'by', events: -1 } });
  assert.equal(effectOf('e'), { do: 'pursue', goal: { to: 'next', mark: 'entry' } });
  assert.equal(effectOf('F'), { do: 'pursue', goal: { to: 'previous', mark: 'fault' } });
  assert.equal(effectOf('g'), { do: 'pursue', goal: { to: 'start' } });
  assert.equal(effectOf('q'), { do: 'quit', code: 0 });
  assert.equal(effectOf('ctrl-c'), { do: 'quit', code: 130 });
});

test('a running monitor moves its playhead by its speed, however far apart events are', () => {
  let model = pressing(start, 'space');
  assert.ok(model.running);
  for (let tick = 1; tick <= 3; tick += 1) {
    const [next, effect] = update(model, { on: 'tick', elapsed_ns: 1e8 });
    assert.equal(effect, { do: 'pursue', goal: { to: 'time', ns: 1_204_500 + tick * 100_000 } });
    // No event yet: the picture's time stands still.
    [model] = update(next, { on: 'view', view: sampleView(), arrived: true });
  }
  [model] = update(model, { on: 'view', view: sampleView({ over: 'quiescent' }), arrived: true });
  assert.not(model.running);
  assert.match(model.notice?.text ?? '', 'quiescent');
});

test('a slow machine does not owe the time it missed', () => {
  const [ticked] = update(pressing(start, 'space'), { on: 'tick', elapsed_ns: 1e9 });
  const [late] = update(ticked, { on: 'view', view: sampleView({ time_ns: 1_300_000 }), arrived: false });
  assert.is(late.playhead_ns, 1_300_000);
});

test('every key has an action or says why not', () => {
  for (const binding of BINDINGS) {
    for (const key of binding.keys) {
      const [model, effect] = update(start, { on: 'key', key });
      const changed = effect !== null || JSON.stringify(model) !== JSON.stringify(start);
      assert.ok(
        changed || key === 'escape' || key.startsWith('page') || key === 'up' || key === 'down',
        `${binding.action} on ${key}`,
      );
    }
  }
  const ended = sampleModel(80, 24, sampleView({ over: 'time' }));
  assert.match(pressing(ended, 's').notice?.text ?? '', 'end of the run');
  assert.match(
    pressing(sampleModel(80, 24, sampleView({ kind: 'recording' })), 'v').notice?.text ?? '',
    'a recording has no variants',
  );
  assert.match(pressing(start, 'y').notice?.text ?? '', "no key 'y'");
});

test('keys are bound once', () => {
  const keys = BINDINGS.flatMap(binding => binding.keys);
  assert.is(new Set(keys).size, keys.length);
});

test('speed goes up and down its steps and stops at their ends', () => {
  assert.is(pressing(start, '+').speed, 2e6);
  assert.is(pressing(start, '-').speed, 5e5);
  assert.is(pressing(start, ...'+'.repeat(50)).speed, SPEEDS.at(-1));
  assert.is(pressing(start, ...'-'.repeat(50)).speed, SPEEDS[0]);
  assert.is(pressing(start, ':', ...typing('speed 3ms'), 'enter', '+').speed, 5e6);
});

test('the command bar', () => {
  const asks = (text: string) => effectOf(':', ...typing(text), 'enter');
  assert.equal(asks('3ms'), { do: 'pursue', goal: { to: 'time', ns: 3e6 } });
  assert.equal(asks('time 3ms'), { do: 'pursue', goal: { to: 'time', ns: 3e6 } });
  assert.equal(asks('+20us'), { do: 'pursue', goal: { to: 'time', ns: 1_224_500 } });
  assert.equal(asks('-5ms'), { do: 'pursue', goal: { to: 'time', ns: 0 } });
  assert.equal(asks('variant v6'), { do: 'choose', case: 0, cell: 0, variant: 0 });
  assert.equal(asks('var 2'), { do: 'choose', case: 0, cell: 0, variant: 1 });
  assert.equal(asks('case the'), { do: 'choose', case: 1, cell: 0, variant: 1 });
  assert.equal(asks('next fault'), { do: 'pursue', goal: { to: 'next', mark: 'fault' } });
  assert.equal(asks('quit'), { do: 'quit', code: 0 });
  const says = (text: string) => pressing(start, ':', ...typing(text), 'enter').notice?.text ?? '';
  assert.match(says('frobnicate'), "no command 'frobnicate'");
  assert.match(says('variant v7'), 'there are: v6, linux_2_6_39');
  assert.match(says('time soon'), 'is no time');
  assert.match(says('speed 0ms'), 'is no speed');
  assert.match(says('vcpu 9'), 'there are 0 to 0');
});

test('the line being typed: completion, cursor, leaving', () => {
  assert.is(pressing(start, ':', ...typing('va'), 'tab').typing?.text, 'variant ');
  assert.is(pressing(start, ':', ...typing('variant l'), 'tab').typing?.text, 'variant linux_2_6_39');
  assert.is(pressing(start, ':', ...typing('3s'), 'left', 'm').typing?.text, '3ms');
  assert.is(pressing(start, ':', ...typing('3s'), 'ctrl-u').typing?.text, '');
  assert.is(pressing(start, ':', 'x', 'escape').typing, null);
  assert.is(pressing(start, 'j').typing?.text, 'time ');
  assert.equal(effectOf(':', 'ctrl-c'), { do: 'quit', code: 130 });
});

test('the filter is live, and Esc takes it back', () => {
  const typed = pressing(start, '/', ...typing('apf'));
  assert.is(windowOf(typed).filter, 'apf');
  assert.is(pressing(typed, 'enter').filter, 'apf');
  assert.is(pressing(typed, 'escape').filter, '');
  assert.is(pressing(typed, 'enter', '/', 'x', 'escape').filter, 'apf');
});

test('scrolled tracepoints stand still while time goes on', () => {
  const held = pressing(start, '3', 'up', 'up');
  assert.equal([held.trace_end, held.trace_back], [340, 2]);
  const [later] = update(held, { on: 'view', view: sampleView({ nr_traced: 900 }), arrived: true });
  assert.equal([windowOf(later).trace_end, windowOf(later).trace_back], [340, 2]);
  assert.equal([pressing(later, 'p').trace_end, pressing(later, 'p').trace_back], [null, 0]);
});

test('the selection stays in view, and inside', () => {
  const many = sampleModel(80, 24, sampleView({}, 64));
  const shown = windowOf(many).vcpus;
  const down = pressing(many, ...Array<string>(20).fill('down'));
  assert.is(down.selected_vcpu, 20);
  assert.is(down.first_vcpu, 21 - shown);
  assert.is(pressing(many, ...Array<string>(99).fill('down')).selected_vcpu, 63);
  assert.is(pressing(down, ...Array<string>(99).fill('up')).first_vcpu, 0);
  const [fewer] = update(down, { on: 'view', view: sampleView({}, 2), arrived: true });
  assert.is(fewer.selected_vcpu, 1);
});

test('panes: focus, zoom, pages over them', () => {
  assert.is(pressing(start, 'tab').focus, 'queues');
  assert.is(pressing(start, 'shift-tab').focus, 'judgements');
  assert.ok(pressing(start, '3', '3').zoomed);
  assert.not.ok(pressing(start, '3', '3', 'escape').zoomed);
  // Where a pane has no place on a small screen, its number opens it alone.
  assert.ok(pressing(sampleModel(60, 16), '5').zoomed);
  assert.is(pressing(start, 'enter').page, 'vcpu');
  assert.is(pressing(start, 'enter', 'escape').page, 'none');
  assert.is(pressing(start, '?', '?').page, 'none');
});

test('a file with errors shows them and keeps the last good run', () => {
  const [broken] = update(start, { on: 'loaded', diagnostics: ['error[x]: no'], filter: '' });
  assert.is(broken.page, 'diagnostics');
  assert.is(broken.view, start.view);
  const [good] = update(broken, { on: 'loaded', diagnostics: [], filter: '' });
  assert.equal([good.page, good.diagnostics], ['none', []]);
});

test('names of keys', () => {
  const none: KeyFlags = {
    upArrow: false,
    downArrow: false,
    leftArrow: false,
    rightArrow: false,
    pageDown: false,
    pageUp: false,
    home: false,
    end: false,
    return: false,
    escape: false,
    ctrl: false,
    shift: false,
    tab: false,
    backspace: false,
    delete: false,
    meta: false,
  };
  assert.equal(keysOf('abc', none), ['a', 'b', 'c']);
  assert.equal(keysOf(' \x03', none), ['space', 'ctrl-c']);
  assert.equal(keysOf('c', { ...none, ctrl: true }), ['ctrl-c']);
  assert.equal(keysOf('', { ...none, tab: true, shift: true }), ['shift-tab']);
  assert.equal(keysOf('', { ...none, delete: true }), ['backspace']);
  assert.equal(keysOf('x', { ...none, meta: true }), []);
});

test.run();
