/** A run as files of other programs: trace viewers, model checkers, spreadsheets, browsers. */
import type { ExportSpec } from '../sim/program.ts';
import type { Telling } from '../sim/tell.ts';
import { markup } from './markup.ts';
import type { Shown } from './result.ts';
import { toldText } from './told.ts';

interface Export {
  /** What the name of the file ends in. */
  readonly extension: string;
  text(shown: Shown): string;
}

export const EXPORTS: Readonly<Record<ExportSpec['format'], Export>> = {
  perfetto: { extension: '.json', text: ({ telling }) => perfettoText(telling) },
  ftrace: { extension: '.txt', text: ({ trace }) => trace },
  itf: { extension: '.itf.json', text: ({ telling }) => itfText(telling) },
  csv: { extension: '.csv', text: ({ telling }) => csvText(telling) },
  html: { extension: '.html', text: ({ telling }) => htmlText(telling) },
  svg: { extension: '.svg', text: ({ telling }) => svgText(telling) },
};

/**
 * The JSON that Perfetto and chrome://tracing open: a track for each actor, its turns on it, what it does in them, and an
 * arrow to whoever it wakes. Times are in microseconds.
 */
function perfettoText({ actors, turns }: Telling): string {
  const track = (actor: string) => ({ pid: 1, tid: actors.indexOf(actor) + 1 });
  const us = (ns: number) => ns / 1000;
  const names = actors.map(actor => ({ name: 'thread_name', ph: 'M', ...track(actor), args: { name: actor } }));
  const events = turns.flatMap(({ actor, time_ns, step, steps, doings }, index) => {
    const end_ns = turns[index + 1]?.time_ns ?? time_ns + 1;
    const at = { ...track(actor), ts: us(time_ns) };
    const turn = { name: doings[0]?.at ?? actor, ph: 'X', ...at, dur: us(Math.max(1, end_ns - time_ns)) };
    const done = doings.flatMap(({ at: where, text, to }, place) => {
      const mark = { name: text, ph: 'i', s: 't', ...at, args: where === '' ? {} : { function: where } };
      const woken = to === null ? undefined : turns.slice(index + 1).find(later => later.actor === to);
      if (!woken) return [mark];
      const arrow = { name: 'wakes', cat: 'wakes', id: `${step}.${place}` };
      const there = { ...track(woken.actor), ts: us(woken.time_ns) };
      return [mark, { ...arrow, ph: 's', ...at }, { ...arrow, ph: 'f', bp: 'e', ...there }];
    });
    return [{ ...turn, args: { step, steps } }, ...done];
  });
  return `${JSON.stringify({ traceEvents: [...names, ...events] }, null, 1)}\n`;
}

/** The Informal Trace Format of Apalache: a state for each step, with who took it, in what, and what came of it. */
function itfText({ program, moves }: Telling): string {
  const { title, case_name, variant } = program;
  const states = moves.map(({ actor, at, doings }, index) => {
    return { '#meta': { index }, actor, function: at, what: doings.map(({ text }) => text) };
  });
  const meta = { format: 'ITF', description: `${title}: ${case_name}, on ${variant}` };
  return `${JSON.stringify({ '#meta': meta, vars: ['actor', 'function', 'what'], states }, null, 1)}\n`;
}

/** What is done, one row each; quoted as RFC 4180 says. */
function csvText({ turns }: Telling): string {
  const rows = turns.flatMap(({ step, time_ns, actor, doings }) =>
    doings.map(({ at, text }) => [String(step), String(time_ns), actor, at, text]),
  );
  const cell = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [['step', 'time_ns', 'actor', 'function', 'what'], ...rows].map(row => `${row.map(cell).join()}\n`).join('');
}

/** A page that needs nothing besides. */
function htmlText(telling: Telling): string {
  const lines = (as: 'story' | 'sequence') => toldText(telling, as).split('\n').map(markup).join('\n');
  const title = markup(`${telling.program.title}: ${telling.program.case_name}`);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title></head>
<body>
<h1>${title}</h1>
<pre>
${lines('story')}</pre>
<pre>
${lines('sequence')}</pre>
</body>
</html>
`;
}

const FONT_PX = 13;
const LINE_PX = 17;
/** Of a character of a monospaced font, as good as all of them. */
const CHARACTER_PX = 0.61 * FONT_PX;

/** The sequence diagram as a picture. */
function svgText(telling: Telling): string {
  const lines = toldText(telling, 'sequence').trimEnd().split('\n');
  const width = Math.ceil(Math.max(...lines.map(({ length }) => length)) * CHARACTER_PX) + 2 * LINE_PX;
  const height = (lines.length + 2) * LINE_PX;
  const texts = lines.map(
    (line, index) =>
      `  <text x="${LINE_PX}" y="${(index + 2) * LINE_PX}" xml:space="preserve">${markup(line)}</text>\n`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="monospace" font-size="${FONT_PX}">
  <rect width="100%" height="100%" fill="white"/>
${texts.join('')}</svg>
`;
}
