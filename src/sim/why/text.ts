/** An explanation as lines of text, for `apflab why` and for the monitor. */
import { durationText } from '../../base/duration.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../schema.ts';
import { actorText } from './actor.ts';
import { type ExplainedFault, type Explanation, missingWake, type Term, termsOf } from './explain.ts';
import type { Link } from './faults.ts';

export function explanationLines({ says, terms, missing, faults, earlier }: Explanation): readonly string[] {
  const lines = [says];
  if (terms.length > 0) {
    const runnable = terms.some(({ value, counts }) => value && counts);
    lines.push(`kvm_arch_vcpu_runnable(): ${yesNo(runnable)}, any of`, ...terms.flatMap(termLines));
  }
  if (missing.length > 0) lines.push('missing:', ...missing.map(each => `  ${each}`));
  for (const fault of faults) lines.push(...faultLines(fault));
  if (earlier > 0) lines.push(`and ${earlier} before, which are over`);
  return lines;
}

function termText({ text, counts }: Pick<Term, 'text' | 'counts'>): string {
  return counts ? text : `${text} (not looked at by this version)`;
}

/** A term; below it who gave it its value, and who could change that. */
function termLines({ text, value, counts, changed, held, could_flip }: Term): readonly string[] {
  const lines = [`  ${yesNo(value).padEnd(3)} ${termText({ text, counts })}`];
  if (changed) lines.push(`        since ${actorText(changed)}`);
  if (held) lines.push(`        it held from ${actorText(held)}`);
  return [...lines, ...flipTexts({ counts, could_flip }).map(each => `        ${each}`)];
}

function flipTexts({ counts, could_flip }: Pick<Term, 'counts' | 'could_flip'>): readonly string[] {
  return counts ? could_flip.map(who => `could flip it: ${who}`) : [];
}

function faultLines({ token, page, vcpu, task, ended, links, standing }: ExplainedFault): readonly string[] {
  const name = token === null ? 'no token' : `token 0x${token.toString(16)}`;
  const width = Math.max(...links.map(({ name: each }) => each.length));
  const times = links.map(({ time_ns }) => durationText(time_ns));
  const wide = Math.max(...times.map(each => each.length));
  return [
    `fault of ${task ?? 'nobody'} on ${vcpu}, ${page}, ${name}, ${ended ? 'over' : 'not over'}:`,
    ...links.map(
      (link, index) => `  ${(times[index] ?? '').padStart(wide)}  ${link.name.padEnd(width)}  ${linkText(link)}`,
    ),
    ...standing.map(each => `  now: ${each}`),
  ];
}

function linkText({ who, at, text }: Link): string {
  return `${text} (${who}${at === '' ? '' : `, ${at}`})`;
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** What the state alone tells of a vCPU, for each frame of the monitor: how it came about would take a replay. */
export function vcpuRows(m: Machine, vcpu: Vcpu): readonly { readonly text: string; readonly value: boolean | null }[] {
  const terms = termsOf(m, vcpu);
  return [
    ...missingWake(m, vcpu, terms).map(text => ({ text: `missing: ${text}`, value: null })),
    ...terms.flatMap(term => [
      { text: termText(term), value: term.value && term.counts },
      ...flipTexts(term).map(text => ({ text, value: null })),
    ]),
  ];
}
