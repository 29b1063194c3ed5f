/** A difference in words. */
import { durationText } from '../base/duration.ts';
import { printable } from '../base/printable.ts';
import type { Episode, EpisodeDifference } from '../report/episodes.ts';
import type { Paint } from '../report/paint.ts';
import type { Happening } from '../sim/compare/follower.ts';
import { type KnobPart, knobsBetween, type Parting, type Shifted } from '../sim/compare/parting.ts';
import { KNOBS } from '../sim/protocol/knobs.ts';
import { fieldNames, type TraceEvent } from '../trace/event.ts';
import { decode } from '../trace/strings.ts';
import { columns, paragraph } from './columns.ts';
import type { Difference } from './difference.ts';
import { besides } from './protocol_report.ts';
import type { Pair, Side } from './sides.ts';

const STATE_LINES = 10;
const KNOBS_NAMED = 8;

/** What both sides are called: by their variants where those tell them apart. */
function labelsOf({ a, b }: Pair): readonly [string, string] {
  const [one, other] = [a, b].map(side => (side.kind === 'run' ? side.run.variant : null));
  return one && other && one !== other ? [one, other] : ['A', 'B'];
}

export function differenceText(pair: Pair, difference: Difference, paint: Paint): string {
  const [a, b] = labelsOf(pair);
  const body =
    difference.kind === 'runs' ? runsText(pair, difference, [a, b], paint) : eventsText(difference, [a, b], paint);
  return `${headingText(pair, [a, b], paint)}${body}`;
}

/** What both have in common is said once. */
function headingText({ a, b }: Pair, [one, other]: Labels, paint: Paint): string {
  const runs = [a, b].flatMap(side => (side.kind === 'run' ? [side.run] : []));
  const [mine, others] = runs.map(({ file, title, program }) => `${file}: ${title}, seed ${program.seed}`);
  if (mine !== undefined && mine === others && one !== 'A')
    return `${paint.strong(printable(mine))}\n  ${one} beside ${other}\n`;
  const rows = [
    [one, sideText(a)],
    [other, sideText(b)],
  ];
  return columns(rows, { first: paint.strong });
}

export function sideText(side: Side): string {
  if (side.kind === 'recording') return `${printable(side.file)}, a recording`;
  const { file, title, variant, program } = side.run;
  const order = program.schedule ? `, in the order that breaks '${program.schedule.breaks}'` : '';
  return printable(`${file}: ${title} on ${variant}, seed ${program.seed}${order}`);
}

type Labels = readonly [a: string, b: string];

function runsText(
  pair: Pair,
  { same, shifted, parting, state, knobs }: Difference & { kind: 'runs' },
  labels: Labels,
  paint: Paint,
): string {
  const late = shifted ? shiftedText(shifted, labels) : '';
  if (!parting) {
    return shifted
      ? `${paragraph(`Both do the same ${same} things in the same order, but not at the same times.`, 0)}\n${late}`
      : `no difference in ${same} events\n`;
  }
  const parts = [
    late,
    `${paragraph(sameText(parting), 0)}\n`,
    `${paint.strong(paragraph(sentence(parting, labels), 0))}\n`,
    laterText(parting, labels),
    meaningText(parting),
    nextText(parting, labels, paint),
    stateText(state, labels),
    knobsText(pair, knobs, labels),
  ];
  return parts.join('');
}

function shiftedText({ a, b }: Shifted, [one, other]: Labels): string {
  const [first, second] = [a, b].map(({ time_ns }) => durationText(time_ns));
  return `${paragraph(`Times differ from ${printable(a.text)} on: ${one} at ${first}, ${other} at ${second}.`, 0)}\n`;
}

function sameText({ same, last }: Parting): string {
  if (!last) return 'Nothing is the same.';
  return `The same so far: ${same} events, the last ${printable(last.text)} at ${durationText(last.time_ns)}.`;
}

/** `At 1.204ms v6 has halt(web.vcpu[0]) (CPU 0/KVM, in …); linux_6_12 has … instead.` Whoever is earlier comes first. */
function sentence({ a: [mine], b: [others] }: Parting, [one, other]: Labels): string {
  if (!mine) return `${one} is over; ${other} goes on: ${happeningText(others)}.`;
  if (!others) return `${other} is over; ${one} goes on: ${happeningText(mine)}.`;
  const [left, right] = [
    { label: one, happening: mine },
    { label: other, happening: others },
  ];
  const alike = mine.text === others.text;
  const [first, second] = others.time_ns < mine.time_ns ? [right, left] : [left, right];
  const [at, later] = [first, second].map(({ happening }) => durationText(happening.time_ns));
  const when = mine.time_ns === others.time_ns ? 'instead' : `next, at ${later}`;
  return `At ${at} ${first.label} has ${happeningText(first.happening, alike)}; ${second.label} has ${happeningText(second.happening, alike)} ${when}.`;
}

/** `in_full`: the text alone would be the same. */
function happeningText(happening: Happening | undefined, in_full = false): string {
  if (!happening) return 'nothing';
  const { text, whole, who, at } = happening;
  return printable(`${in_full ? whole : text} (${who}${at === '' ? '' : `, in ${at}`})`);
}

function laterText({ a: [mine], b: [others], a_later_ns, b_later_ns }: Parting, [one, other]: Labels): string {
  const line = (who: string, what: Happening | undefined, later_ns: number | null): readonly string[] =>
    what
      ? [
          `  ${who} ${later_ns === null ? 'never has' : 'has'} ${printable(what.text)}${later_ns === null ? '' : `, at ${durationText(later_ns)}`}\n`,
        ]
      : [];
  return [...line(other, mine, b_later_ns), ...line(one, others, a_later_ns)].join('');
}

function meaningText({ a: [mine], b: [others] }: Parting): string {
  const known = [mine, others].flatMap(each => (each && each.means !== '' ? [each] : []));
  return known.map(({ text, means }) => `${paragraph(`${printable(text)}: ${means}`, 2)}\n`).join('');
}

function nextText({ a, b }: Parting, [one, other]: Labels, paint: Paint): string {
  const side = (label: string, all: readonly Happening[]): string =>
    all.length === 0
      ? ''
      : `\n${paint.strong(label)} goes on\n${columns(
          all.map(each => [durationText(each.time_ns), printable(each.text)]),
          { indent: 2 },
        )}`;
  return `${side(one, a)}${side(other, b)}`;
}

function stateText(state: (Difference & { kind: 'runs' })['state'], [one, other]: Labels): string {
  if (state.length === 0) return '';
  const rows = state.slice(0, STATE_LINES).map(({ field, a, b }) => [printable(field), a, b]);
  const rest = state.length > STATE_LINES ? `  and ${state.length - STATE_LINES} fields more\n` : '';
  return `\nthe machines then differ in\n${columns([['', one, other], ...rows], { indent: 2 })}${rest}`;
}

function knobsText({ a, b }: Pair, knobs: readonly KnobPart[], [one, other]: Labels): string {
  if (knobs.length === 0 || a.kind !== 'run' || b.kind !== 'run') return '';
  const part = (makes: KnobPart['makes']) => knobs.filter(each => each.makes === makes);
  const detail = ({ knob }: KnobPart): string => {
    const found = a.run.program.vms.flatMap((vm, index) => {
      const theirs = b.run.program.vms[index]?.knobs;
      const [mine, others] = theirs ? [besides(vm.knobs, theirs, knob), besides(theirs, vm.knobs, knob)] : ['', ''];
      return mine === others ? [] : [`${mine} in ${one}, ${others} in ${other}`];
    });
    return `${paragraph(`${knob}: ${found[0] ?? ''}. ${KNOBS[knob].summary}`, 2)}\n`;
  };
  const alone = part('same');
  const otherwise = part('other');
  const nothing = part('nothing');
  return [
    alone.length > 0
      ? `\nturned alone, makes ${one} do there what ${other} does\n${alone.map(detail).join('')}`
      : `\n${paragraph(`No knob alone makes ${one} do there what ${other} does: several do together.`, 0)}\n`,
    otherwise.length > 0 ? `changes what ${one} does there\n${otherwise.map(detail).join('')}` : '',
    nothing.length > 0 ? `${paragraph(idleText(nothing), 0)}\n` : '',
  ].join('');
}

function idleText(knobs: readonly KnobPart[]): string {
  const names = knobs.slice(0, KNOBS_NAMED).map(({ knob }) => knob);
  const rest =
    knobs.length > KNOBS_NAMED ? `, and ${knobs.length - KNOBS_NAMED} more: apflab protocols lists them` : '';
  return `these differ too, without a part in it: ${names.join(', ')}${rest}`;
}

/** Every knob that two runs differ in, for programs. */
export function knobNames({ a, b }: Pair): readonly string[] {
  return a.kind === 'run' && b.kind === 'run' ? knobsBetween(a.run.program, b.run.program) : [];
}

// -- Recordings -----------------------------------------------------------------------------------

function eventsText({ same, a, b, episodes }: Difference & { kind: 'events' }, labels: Labels, paint: Paint): string {
  if (!episodes) return `no difference in ${same} events\n`;
  const [one, other] = labels;
  const first =
    same === 0
      ? 'Not even the first event is the same: other threads, another guest.'
      : `The same so far: ${same} events. Then ${one}: ${a ? seenText(a.event, a.line) : 'the end'}; ${other}: ${b ? seenText(b.event, b.line) : 'the end'}.`;
  const { counts, only_a, only_b, differences } = episodes;
  const without = [
    ...(only_a.length > 0 ? [`only in ${one}: ${only_a.join(', ')}`] : []),
    ...(only_b.length > 0 ? [`only in ${other}: ${only_b.join(', ')}`] : []),
  ];
  return [
    `${paragraph(first, 0)}\n`,
    `\n${paint.strong('exits with asynchronous page faults')}: ${counts[0]} in ${one}, ${counts[1]} in ${other}\n`,
    ...without.map(text => `${paragraph(text, 2)}\n`),
    ...(differences.length === 0 ? ['  all in the same order\n'] : []),
    ...differences.map(each => episodeText(each, labels)),
  ].join('');
}

function seenText(event: TraceEvent | null, line: string): string {
  if (!event) return printable(decode(line.trim()));
  const fields = fieldNames(event.name).flatMap((name, index) => {
    const value = event.args[index];
    return value === undefined ? [] : [`${name} ${typeof value === 'string' ? decode(value) : value}`];
  });
  return printable(`${event.name}(${fields.join(', ')}) by ${decode(event.comm)}`);
}

function episodeText({ vcpu, same, a, b, times }: EpisodeDifference, [one, other]: Labels): string {
  const row = (label: string, episode: Episode | null): readonly string[] => [
    label,
    episode ? durationText(episode.time_ns) : '',
    episode ? episode.words.join(' ') : 'no more of them',
  ];
  const often = (label: string, in_a: number, in_b: number): string =>
    `  that order of ${label} comes ${in_a} times in ${one}, ${in_b} in ${other}\n`;
  return [
    `${printable(decode(vcpu))}: ${same} of them alike, then\n`,
    columns([row(one, a), row(other, b)], { indent: 2 }),
    a && b ? `  ${partText(a, b, [one, other])}\n` : '',
    a ? often(one, times.a_in_a, times.a_in_b) : '',
    b ? often(other, times.b_in_a, times.b_in_b) : '',
  ].join('');
}

function partText(a: Episode, b: Episode, [one, other]: Labels): string {
  const at = a.words.findIndex((word, index) => word !== b.words[index]);
  const index = at < 0 ? a.words.length : at;
  const [mine, others] = [a.words[index] ?? 'nothing', b.words[index] ?? 'nothing'];
  return `after ${a.words[index - 1] ?? 'the beginning'}: ${mine} in ${one}, ${others} in ${other}`;
}
