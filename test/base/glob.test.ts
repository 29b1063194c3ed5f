import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { globMatches } from '../../src/base/glob.ts';

const matching = (glob: string, ...names: string[]) => names.filter(name => globMatches(glob, name));

test('a star stands for any text, also none', () => {
  assert.equal(matching('kvm_async_pf_*', 'kvm_async_pf_ready', 'kvm_async_pf_', 'kvm_exit', 'x_kvm_async_pf_ready'), [
    'kvm_async_pf_ready',
    'kvm_async_pf_',
  ]);
  assert.equal(matching('*_pf_*', 'kvm_async_pf_ready', 'kvm_pf', '_pf_'), ['kvm_async_pf_ready', '_pf_']);
  assert.equal(matching('*', '', 'a'), ['', 'a']);
});

test('without a star the whole name', () => {
  assert.equal(matching('kvm_exit', 'kvm_exit', 'kvm_exit_more', 'a_kvm_exit'), ['kvm_exit']);
});

test('parts do not overlap and nothing is a pattern but the star', () => {
  assert.equal(matching('ab*ba', 'aba', 'abba', 'ab.ba'), ['abba', 'ab.ba']);
  assert.equal(matching('a*b*b', 'ab', 'abb', 'axbyb'), ['abb', 'axbyb']);
  assert.equal(matching('a.c*', 'abc', 'a.c'), ['a.c']);
});

test.run();
