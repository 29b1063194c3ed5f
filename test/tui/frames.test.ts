/**
 * Frames of hand-made pictures, as text. What a frame should be stands in frames/; `UPDATE=1` writes it anew.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { widthOf } from '../../src/tui/cells.ts';
import type { Model } from '../../src/tui/model.ts';
import { textOf } from '../../src/tui/picture.ts';
import { blocksOf } from '../../src/tui/screen.ts';
import { createTheme } from '../../src/tui/theme.ts';
import { update } from '../../src/tui/update.ts';
import { pressing, SAMPLE_STEP, sampleModel, sampleView } from './sample.ts';

const FOLDER = fileURLToPath(new URL('frames/', import.meta.url));

function frame(name: string, model: Model): void {
  test(name, () => {
    const text = `${textOf(blocksOf(model, createTheme(0)), model.size)}\n`;
    const file = `${FOLDER}${name}.txt`;
    if (process.env['UPDATE'] || !existsSync(file)) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(file, text);
    }
    assert.fixture(text, readFileSync(file, 'utf8'));
  });
}

const SIZES = [
  [60, 16],
  [80, 24],
  [120, 40],
  [200, 50],
] as const;

for (const [columns, rows] of SIZES) {
  frame(`panes-${columns}x${rows}`, sampleModel(columns, rows));
  frame(`vcpus-${columns}x${rows}`, sampleModel(columns, rows, sampleView({}, 64)));
}
frame('help-80x24', pressing(sampleModel(80, 24), '?'));
frame('help-200x50', pressing(sampleModel(200, 50), '?'));
frame('vcpu-80x24', pressing(sampleModel(80, 24), 'enter'));
frame('why-80x24', pressing(sampleModel(80, 24), 'w'));
frame('zoomed-trace-80x24', pressing(sampleModel(80, 24), '3', '3'));
frame(
  'filter-80x24',
  pressing(
    sampleModel(80, 24, sampleView({ filter_error: 'expected what token is compared with (column 9)' })),
    '/',
    ...'token ==',
    'space',
  ),
);
frame('command-80x24', pressing(sampleModel(80, 24), ':', 'v', 'a', 'tab'));
frame(
  'branch-80x24',
  update(sampleModel(80, 24, sampleView({ step: SAMPLE_STEP })), {
    on: 'compared',
    lines: [
      ' The branch: kworker/0:1 async_pf_execute.done at step 13. Esc shows it.',
      '',
      '   CPU 0/KVM kvm_arch_async_page_present: kvm_async_pf_ready: token 0x1000 gva 0x1011868 ready',
    ],
  })[0],
);
frame(
  'refused-80x24',
  update(sampleModel(80, 24), {
    on: 'refused',
    as: 'truth',
    text: 'web.vcpu[0].nothing > 3',
    at: 12,
    message: "a vCPU has no 'nothing'",
  })[0],
);
frame(
  'recording-80x24',
  sampleModel(
    80,
    24,
    sampleView({
      kind: 'recording',
      pages: null,
      judgements: [],
      nr_judgements: { yes: 0, no: 0, 'so far': 0, undecided: 0 },
    }),
  ),
);
for (const [columns, rows] of SIZES)
  frame(`found-${columns}x${rows}`, sampleModel(columns, rows, sampleView({ step: SAMPLE_STEP, position: 12 })));
frame(
  'round-80x24',
  sampleModel(80, 24, sampleView({ step: { ...SAMPLE_STEP, next: '', cycle: 4 }, position: 41, over: 'steps' })),
);
frame(
  'found-start-80x24',
  sampleModel(80, 24, sampleView({ step: { ...SAMPLE_STEP, actor: '', at: '', text: '' }, position: 0 })),
);
frame(
  'diagnostics-80x24',
  update(sampleModel(80, 24), {
    on: 'loaded',
    diagnostics: [
      "error[unknown-host]: no host named 'host-c'",
      ' --> first.apf:7:12',
      '7 | migrate to host-c after 5ms',
      '  |            ^^^^^^',
    ],
    filter: '',
  })[0],
);
frame('too-small-40x10', sampleModel(40, 10));

test('no line is wider than its block, at any size and in any look', () => {
  for (const columns of [60, 79, 80, 99, 100, 131, 160, 200]) {
    for (const rows of [16, 20, 24, 40, 50]) {
      for (const keys of [[], ['?'], ['enter'], ['w'], ['3', '3'], ['4', 'z'], ['5', 'z'], ['/', 'x'], [':', 't']]) {
        const view = sampleView(
          {
            title: '表示',
            selected: '表示/0',
            choice: { ...sampleView().choice, cases: ['表示幅の検査'.repeat(9), 'b'] },
          },
          9,
        );
        const step = { ...SAMPLE_STEP, text: '表示'.repeat(60), cycle: 7 };
        const shown = keys[0] === '3' ? { ...view, step } : view;
        const model = pressing(sampleModel(columns, rows, shown), ...keys);
        for (const unicode of [true, false]) {
          for (const block of blocksOf(model, createTheme(0, unicode))) {
            assert.ok(
              block.y + block.height <= rows && block.x + block.width <= columns,
              `${block.label} is on the screen`,
            );
            assert.ok(
              block.lines.length <= block.height,
              `${block.label} has ${block.lines.length} lines in ${block.height}`,
            );
            for (const line of block.lines)
              assert.ok(widthOf(line) <= block.width, `${columns}x${rows} ${block.label}: ${line}`);
          }
        }
      }
    }
  }
});

test('colours change how it looks and not what it says', () => {
  for (const level of [1, 2, 3] as const) {
    const model = sampleModel(120, 40, sampleView({}, 8));
    assert.is(
      textOf(blocksOf(model, createTheme(level)), model.size),
      textOf(blocksOf(model, createTheme(0)), model.size),
    );
  }
});

test('without colours no escape code but bold and reverse', () => {
  const model = pressing(sampleModel(120, 40), ':');
  const lines = blocksOf(model, createTheme(0))
    .flatMap(block => block.lines)
    .join('\n');
  assert.equal([...new Set(lines.match(/\x1b\[[^m]*m/g))].toSorted(), ['\x1b[0m', '\x1b[1m', '\x1b[7m']);
});

test.run();
